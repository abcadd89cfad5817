extension NormalizerSteps {
  private static let supported = [
    "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Prepend", "Replace", "Strip",
    "Precompiled", "Sequence",
  ]

  /// Reads `normalizer` of `tokenizer.json`.
  init(_ node: JSONNode) throws(TextError) {
    var growth = Growth()
    try append(node, &growth)
  }

  private mutating func append(_ node: JSONNode, _ growth: inout Growth) throws(TextError) {
    let type = try node.member("type")
    switch try type.string() {
    case "Sequence": for part in try node.member("normalizers").array() { try append(part, &growth) }
    case "NFC": steps.append(.form(.composed))
    case "NFD": steps.append(.form(.decomposed))
    case "NFKC": steps.append(.form(.compatibilityComposed))
    case "NFKD": steps.append(.form(.compatibilityDecomposed))
    case "Lowercase": steps.append(.lowercase)
    case "StripAccents": steps.append(.stripAccents)
    case "Prepend":
      let text = Array(try node.member("prepend").string().utf8)
      try growth.step(node, "prepend", to: text.count)
      steps.append(.prepend(text))
    case "Precompiled":
      let map = try node.member("precompiled_charsmap")
      guard let bytes = Base64.decode(try map.string()), let table = PrecompiledMap(bytes) else {
        throw map.invalid("SentencePiece's map of characters in Base64")
      }
      try growth.step(map, "replacement", to: table.longestReplacement)
      steps.append(.precompiled(table))
    case "Strip":
      steps.append(
        .strip(left: try node["strip_left"]?.bool() ?? true, right: try node["strip_right"]?.bool() ?? true))
    case "Replace" where try node.member("pattern")["Regex"]?.string() == " {2,}":
      let new = Array(try node.member("content").string().utf8)
      try growth.step(node, "content", from: 2, to: new.count)
      steps.append(.replaceSpaces(with: new))
    case "Replace":
      let content = Array(try node.member("content").string().utf8)
      let pattern = try TextPattern(try node.member("pattern"))
      try growth.step(node, "content", from: pattern.leastLength, to: content.count)
      switch pattern {
      case .text(let text): steps.append(.replace(text, with: content))
      case .expression(let expression): steps.append(.replaceMatches(expression, with: content))
      }
    default: try TokenizerLoader.expect(type, among: Self.supported)
    }
    try growth.check(node, steps.count)
  }
}
