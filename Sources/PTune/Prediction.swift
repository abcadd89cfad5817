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
  /// An object of numbers, in this order.
  public func put(_ numbers: [(String, Double)], as key: String) throws {
    let members = numbers.map { "\(jsonText($0.0)): \(jsonNumber($0.1))" }
    try put(json: "{\(members.joined(separator: ", "))}", key)
  }
}

private func jsonNumber(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

private func jsonText(_ text: String) -> String {
  var json = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": json += "\\\""
    case "\\": json += "\\\\"
    case "\n": json += "\\n"
    case "\t": json += "\\t"
    case "\r": json += "\\r"
    case let control where control.value < 0x20:
      let digits = String(control.value, radix: 16)
      json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: json.unicodeScalars.append(scalar)
    }
  }
  return json + "\""
}
