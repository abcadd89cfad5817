/// A value of a prediction: what JSON can say.
public indirect enum PredictionValue {
  /// A text.
  case text(String)
  /// A number; null where it is not finite.
  case number(Double)
  /// A whole number.
  case integer(Int)
  /// Values in order.
  case list([PredictionValue])
  /// Named values, in this order.
  case object([(String, PredictionValue)])

  var json: String {
    switch self {
    case .text(let text): jsonText(text)
    case .number(let number): jsonNumber(number)
    case .integer(let number): "\(number)"
    case .list(let values): "[\(values.map(\.json).joined(separator: ", "))]"
    case .object(let members):
      "{\(members.map { "\(jsonText($0.0)): \($0.1.json)" }.joined(separator: ", "))}"
    }
  }
}

func jsonNumber(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

/// A text as JSON, without any character that some readers end a line at.
func jsonText(_ text: String) -> String {
  var json = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": json += "\\\""
    case "\\": json += "\\\\"
    case "\n": json += "\\n"
    case "\t": json += "\\t"
    case "\r": json += "\\r"
    case let control
    where control.value < 0x20 || (0x7F..<0xA0).contains(control.value)
      || (0x2028...0x2029).contains(control.value):
      let digits = String(control.value, radix: 16)
      json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: json.unicodeScalars.append(scalar)
    }
  }
  return json + "\""
}
