extension TokenDecoder {
  private static let supported = [
    "ByteLevel", "Metaspace", "ByteFallback", "Fuse", "Strip", "Replace", "Sequence",
  ]

  /// Reads `decoder` of `tokenizer.json`.
  init(_ node: JSONNode) throws(TextError) {
    var growth = Growth()
    try append(node, &growth)
  }

  private mutating func append(_ node: JSONNode, _ growth: inout Growth) throws(TextError) {
    let type = try node.member("type")
    switch try type.string() {
    case "Sequence": for decoder in try node.member("decoders").array() { try append(decoder, &growth) }
    case "ByteLevel": steps.append(.byteLevel)
    case "Metaspace":
      let (space, prefix) = try PreTokenizer.metaspace(node)
      steps.append(.metaspace(replacement: space, dropsFirst: prefix != .never))
    case "ByteFallback": steps.append(.byteFallback)
    case "Fuse": steps.append(.fuse)
    case "Strip":
      let content = try node.member("content")
      steps.append(
        .strip(
          try content.nonemptyBytes(), start: try node.member("start").integer(below: 1 << 16),
          stop: try node.member("stop").integer(below: 1 << 16)))
    case "Replace":
      let content = Array(try node.member("content").string().utf8)
      let pattern = try TextPattern(try node.member("pattern"))
      try growth.step(node, "content", from: pattern.leastLength, to: content.count)
      steps.append(.replace(pattern, with: content))
    default: try TokenizerLoader.expect(type, among: Self.supported)
    }
    try growth.check(node, steps.count)
  }
}

extension JSONNode {
  /// The bytes of a string that is not empty.
  func nonemptyBytes() throws(TextError) -> [UInt8] {
    let bytes = Array(try string().utf8)
    if bytes.isEmpty { throw invalid("a string that is not empty") }
    return bytes
  }
}
