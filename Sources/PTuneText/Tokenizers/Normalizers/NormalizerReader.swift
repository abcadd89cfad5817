extension NormalizerSteps {
  private static let supported = [
    "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Prepend", "Replace", "Sequence",
  ]

  /// Reads `normalizer` of `tokenizer.json`.
  init(_ node: JSONNode) throws(TextError) { try append(node) }

  private mutating func append(_ node: JSONNode) throws(TextError) {
    let type = try node.member("type")
    switch try type.string() {
    case "Sequence": for part in try node.member("normalizers").array() { try append(part) }
    case "NFC": steps.append(.form(.composed))
    case "NFD": steps.append(.form(.decomposed))
    case "NFKC": steps.append(.form(.compatibilityComposed))
    case "NFKD": steps.append(.form(.compatibilityDecomposed))
    case "Lowercase": steps.append(.lowercase)
    case "StripAccents": steps.append(.stripAccents)
    case "Prepend": steps.append(.prepend(Array(try node.member("prepend").string().utf8)))
    case "Replace":
      steps.append(.replace(try node.textPattern(), with: Array(try node.member("content").string().utf8)))
    default: try TokenizerLoader.expect(type, among: Self.supported)
    }
  }
}
