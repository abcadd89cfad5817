extension PreTokenizer {
  private static let supported = [
    "ByteLevel", "Metaspace", "Split", "Digits", "WhitespaceSplit", "Sequence",
  ]

  /// Reads `pre_tokenizer` of `tokenizer.json`.
  init(_ node: JSONNode) throws(TextError) { try append(node) }

  private mutating func append(_ node: JSONNode) throws(TextError) {
    let type = try node.member("type")
    switch try type.string() {
    case "Sequence": for part in try node.member("pretokenizers").array() { try append(part) }
    case "ByteLevel": try appendByteLevel(node)
    case "Metaspace": try appendMetaspace(node)
    case "Split": try appendPattern(node)
    case "WhitespaceSplit":
      // NB: what is in front of it in a Sequence may have replaced the white space.
      guard self == PreTokenizer() else {
        throw .unsupported(
          path: node.path, key: type.key, type: "WhitespaceSplit after another",
          supported: ["it as the first of a Sequence"])
      }
      dropsSpaces = true
    case "Digits": splits.append(.digits(individually: try node["individual_digits"]?.bool() ?? false))
    default: try TokenizerLoader.expect(type, among: Self.supported)
    }
    // NB: what follows would split GPT-2's alphabet instead of the text.
    if isByteLevel, try type.string() != "ByteLevel", try type.string() != "Sequence" {
      throw .unsupported(
        path: node.path, key: type.key, type: "\(try type.string()) after ByteLevel",
        supported: ["ByteLevel as the last of a Sequence"])
    }
  }

  private mutating func appendByteLevel(_ node: JSONNode) throws(TextError) {
    if try node["add_prefix_space"]?.bool() ?? true {
      try refuseAfterSplit(node, "add_prefix_space")
      prefix = .always
    }
    if try node["use_regex"]?.bool() ?? true { splits.append(.words(.gpt2)) }
    isByteLevel = true
  }

  private mutating func appendMetaspace(_ node: JSONNode) throws(TextError) {
    try refuseAfterSplit(node, "type")
    (space, prefix) = try Self.metaspace(node)
    if try node["split"]?.bool() ?? true { splits.append(.separator(space)) }
  }

  /// The text cannot grow between two ways of cutting it.
  private func refuseAfterSplit(_ node: JSONNode, _ key: String) throws(TextError) {
    guard !splits.isEmpty else { return }
    throw .unsupported(
      path: node.path, key: "\(node.key).\(key)", type: "something that adds to the text after it was split",
      supported: ["it as the first of a Sequence"])
  }

  private mutating func appendPattern(_ node: JSONNode) throws(TextError) {
    let behavior = try node.member("behavior")
    guard let kind = PatternSplit.Behavior(rawValue: try behavior.string()) else {
      throw behavior.invalid(
        "one of \(PatternSplit.Behavior.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let isInverted = try node["invert"]?.bool() ?? false
    let pattern = try node.member("pattern")
    // NB: the published patterns match all of a text, so to take the matches or to take away the rest is the same.
    if kind == .isolated || kind == .removed && isInverted, let text = try pattern["Regex"]?.string(),
      let words = WordPattern(text)
    {
      splits.append(.words(words))
    } else {
      splits.append(
        .pattern(PatternSplit(pattern: try TextPattern(pattern), behavior: kind, isInverted: isInverted)))
    }
  }

  /// What stands for a space and where it is put in front, in the new form (`prepend_scheme`) and the old
  /// (`add_prefix_space`).
  static func metaspace(_ node: JSONNode) throws(TextError) -> (space: [UInt8], prefix: Prefix) {
    let space = try (node["replacement"] ?? node["str_rep"])?.nonemptyBytes() ?? Array("▁".utf8)
    guard let scheme = node["prepend_scheme"] else {
      return (space, try node["add_prefix_space"]?.bool() ?? true ? .always : .never)
    }
    switch try scheme.string() {
    case "always": return (space, .always)
    case "first": return (space, .first)
    case "never": return (space, .never)
    default: throw scheme.invalid("\"always\", \"first\" or \"never\"")
    }
  }
}
