import CPTune

/// Receives the prediction for an example: members of a JSON object (`ptune.data/1`).
public struct Prediction {
  let handle: OpaquePointer?
  /// Wraps the handle a head was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  private func put(json value: String, _ key: String) throws {
    let status = Host.tables.data?.pointee.put(handle, key, value)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "stating '\(key)'")
  }
  /// A text.
  public func put(_ text: String, as key: String) throws { try put(json: jsonText(text), key) }
  /// A number.
  public func put(_ number: Double, as key: String) throws { try put(json: jsonNumber(number), key) }
  /// A value of any shape.
  public func put(_ value: PredictionValue, as key: String) throws { try put(json: value.json, key) }
  /// An object of numbers, in this order.
  public func put(_ numbers: [(String, Double)], as key: String) throws {
    let members = numbers.map { "\(jsonText($0.0)): \(jsonNumber($0.1))" }
    try put(json: "{\(members.joined(separator: ", "))}", key)
  }
}

/// The place of a part of a text in Unicode scalars, as SQuAD and Python count, of its bytes.
///
/// - Parameter text: the whole text in UTF-8.
public func scalarPlace(of bytes: Range<Int>, in text: some Collection<UInt8>) -> Range<Int> {
  func count(_ bytes: some Sequence<UInt8>) -> Int { bytes.count { $0 & 0xC0 != 0x80 } }
  let begin = count(text.prefix(bytes.lowerBound))
  return begin..<begin + count(text.dropFirst(bytes.lowerBound).prefix(bytes.count))
}
