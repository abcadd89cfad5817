import PTuneComposition
import PTuneFormats

/// How rows are read, as adapter_config.json has it: what ptune does is left out.
extension InputReading {
  private static let typesKey = "token_types"
  private static let uncountedKey = "uncounted_token"
  private static let readKey = "read_token"
  private static let exceptKey = "last_except"
  private static let endsKey = "ends_texts"

  /// Members of the key `ptune`.
  var members: JSONObject {
    var members = JSONObject()
    if !usesTokenTypes { members[Self.typesKey] = false }
    if let uncountedToken { members[Self.uncountedKey] = .int(Int(uncountedToken)) }
    switch readToken {
    case .ofText: break
    case .last: members[Self.readKey] = "last"
    case .lastExcept(let padding): members[Self.readKey] = [Self.exceptKey: .int(Int(padding))]
    }
    if !endsTexts { members[Self.endsKey] = false }
    return members
  }

  /// What the members of the key `ptune` say; nil if one of them is malformed.
  init?(_ own: JSONValue) {
    self.init()
    func token(_ value: JSONValue?) -> Int32? { value?.intValue.flatMap { Int32(exactly: $0) } }
    func flag(_ key: String) -> Bool? {
      guard let value = own[key] else { return true }
      return value.boolValue
    }
    guard let types = flag(Self.typesKey), let ends = flag(Self.endsKey) else { return nil }
    (usesTokenTypes, endsTexts) = (types, ends)
    if let value = own[Self.uncountedKey] {
      guard let token = token(value) else { return nil }
      uncountedToken = token
    }
    switch own[Self.readKey] {
    case nil: break
    case "last": readToken = .last
    case let value?:
      guard let padding = token(value[Self.exceptKey]) else { return nil }
      readToken = .lastExcept(padding)
    }
  }
}
