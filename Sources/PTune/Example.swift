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

  /// The first of some fields that can stand for each other: of those for which the run names a column, else of those that
  /// the row has.
  public func field(anyOf names: [String]) -> String? {
    let named = Set(list("named_fields") ?? [])
    return names.lazy.filter(named.contains).compactMap(field).first ?? names.lazy.compactMap(field).first
  }

  /// A field of the row that is a JSON list of texts; nil if the row has none, or something else.
  public func list(_ name: String) -> [String]? { field(name).flatMap { jsonTexts($0) } }

  /// A field of the row that is JSON; nil if the row has none, or something else.
  public func json(_ name: String) -> FieldValue? { field(name).flatMap { jsonValue($0) } }

  /// Which of ``tokens`` belong to each sequence of the row.
  public var sequences: [Range<Int>] {
    var offsets: UnsafePointer<Int32>?
    guard let count = Host.tables.data?.pointee.sequences(handle, &offsets), let offsets else { return [] }
    return (0..<count).map { Int(offsets[$0])..<Int(offsets[$0 + 1]) }
  }

  /// The tokens of the row, special tokens included, and where each came from; those of several sequences stand end
  /// to end. Empty where the caller has none.
  public var tokens: [Token] {
    var ids: UnsafePointer<Int32>?
    var spans: UnsafePointer<ptune_span_v1>?
    guard let count = Host.tables.data?.pointee.tokens(handle, &ids, &spans), let ids, let spans else {
      return []
    }
    return (0..<count).map { index in
      let (span, id) = (spans[index], ids[index])
      let bytes = Int(span.begin)..<max(Int(span.begin), Int(span.end))
      return Token(id: id, field: span.field < 0 ? nil : Int(span.field), bytes: bytes)
    }
  }

  /// A token and its place in the row's texts.
  public struct Token: Sendable {
    /// Its id in the vocabulary.
    public let id: Int32
    /// 0: the sequence's text, 1: its second text, 2…: further fields of the task's template; nil: a special token,
    /// or a word of the template's own.
    public let field: Int?
    /// The bytes of that text's UTF-8 that it stands for.
    public let bytes: Range<Int>
  }
}

/// Receives the sequences that a row consists of (`ptune.arrangement/1`).
public struct Arrangement {
  let handle: OpaquePointer?
  /// Wraps the handle a head was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  /// Which text gives way where they do not fit.
  public enum Cut: Int32, Sendable {
    /// The longer one first, then both alike.
    case longer = 0
    /// The first one.
    case first = 1
    /// The second one.
    case second = 2
  }

  /// Appends a text, or two, as the model reads them; what does not fit is dropped.
  public func input(_ first: String, _ second: String? = nil, cut: Cut = .longer) throws {
    try append(first, second, cut, -1)
  }

  /// Appends windows over one of two texts, each a sequence with the other text. A window begins with the last
  /// `overlap` tokens of the one before it.
  public func windows(_ first: String, _ second: String, over cut: Cut, overlap: Int) throws {
    try append(first, second, cut, Int32(overlap))
  }

  private func append(_ first: String, _ second: String?, _ cut: Cut, _ overlap: Int32) throws {
    let status = Host.tables.arrangement?.pointee.input(handle, first, second, cut.rawValue, overlap)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "laying out a sequence")
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
