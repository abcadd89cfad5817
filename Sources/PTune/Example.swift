import CPTune

/// One row of data as a head sees it (`ptune.data/1`).
public struct Example {
  let handle: OpaquePointer?
  /// Wraps the handle a head was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  /// A field of the row as text; nil if the row has none.
  public func field(_ name: String) -> String? {
    Host.tables.data?.pointee.field(handle, name).map { String(cString: $0) }
  }
}

/// Receives the targets of a row (`ptune.data/1`).
public struct Targets {
  let handle: OpaquePointer?
  /// Wraps the handle a head was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  /// Appends integer targets.
  public func emit(_ values: [Int32]) throws {
    let status = Host.tables.data?.pointee.emit_integers(handle, values, values.count)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "emitting targets")
  }
  /// Appends number targets.
  public func emit(_ values: [Float]) throws {
    let status = Host.tables.data?.pointee.emit_numbers(handle, values, values.count)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "emitting targets")
  }
}
