import PTuneFormats

extension HyperparameterValue {
  /// A value of a JSON document, such as adapter_config.json; nil for one that no hyperparameter can have.
  package init?(_ value: JSONValue) {
    switch value {
    case .int(let value): self = .int(value)
    case .double(let value): self = .double(value)
    case .bool(let value): self = .bool(value)
    case .string(let value): self = .string(value)
    case .array(let values):
      let texts = values.compactMap(\.stringValue)
      guard texts.count == values.count else { return nil }
      self = .strings(texts)
    default: return nil
    }
  }

  /// As documents have it.
  package var json: JSONValue {
    switch self {
    case .int(let value): .int(value)
    case .double(let value): .double(value)
    case .bool(let value): .bool(value)
    case .string(let value): .string(value)
    case .strings(let values): .array(values.map { .string($0) })
    }
  }
}
