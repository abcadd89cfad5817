/// What `post_processor` of `tokenizer.json` asks for.
struct PostProcessor {
  /// Nil for no special tokens.
  private(set) var template: SequenceTemplate?
  /// Whether spaces go from the places of pieces, and whether the first piece keeps its own.
  private(set) var trimming: (trims: Bool, keepsFirst: Bool) = (false, false)

  private static let supported = [
    "TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel", "Sequence",
  ]

  /// Reads `post_processor`; `supported` are the types that the tokenizer at hand can have.
  init(_ node: JSONNode, supported: [String] = Self.supported) throws(TextError) {
    try append(node, supported)
  }

  private mutating func append(_ node: JSONNode, _ supported: [String]) throws(TextError) {
    let type = try node.member("type")
    try TokenizerLoader.expect(type, among: supported)
    switch try type.string() {
    case "Sequence": for part in try node.member("processors").array() { try append(part, supported) }
    case "ByteLevel": try trim(node)
    case "RobertaProcessing":
      try trim(node)
      let (classification, separator) = try Self.pair(node)
      try set(.roberta(classification: classification, separator: separator), node)
    case "BertProcessing":
      let (classification, separator) = try Self.pair(node)
      try set(.bert(classification: classification, separator: separator), node)
    default:
      try set(
        SequenceTemplate(
          single: Self.parts(node.member("single"), node, sources: 1),
          pair: Self.parts(node.member("pair"), node, sources: 2)), node)
    }
  }

  private mutating func set(_ template: SequenceTemplate, _ node: JSONNode) throws(TextError) {
    if self.template != nil { throw node.invalid("the only one that adds special tokens") }
    self.template = template
  }

  private mutating func trim(_ node: JSONNode) throws(TextError) {
    // NB: the pieces would no longer be the first of the text.
    if template != nil { throw node.invalid("before what adds special tokens") }
    guard try node["trim_offsets"]?.bool() ?? true else { return }
    trimming = (true, try node["add_prefix_space"]?.bool() ?? true)
  }

  private static func pair(_ node: JSONNode) throws(TextError) -> (classification: Int32, separator: Int32) {
    (try bertToken(node, "cls"), try bertToken(node, "sep"))
  }

  /// `["[CLS]", 101]`.
  private static func bertToken(_ node: JSONNode, _ name: String) throws(TextError) -> Int32 {
    let member = try node.member(name)
    let elements = try member.array()
    guard elements.count == 2 else { throw member.invalid("a token and its id") }
    return try elements[1].tokenID()
  }

  /// Tokens and texts of a template.
  private static let mostParts = 256

  private static func parts(
    _ node: JSONNode, _ processor: JSONNode, sources: Int
  ) throws(TextError) -> [SequenceTemplate.Part] {
    var parts: [SequenceTemplate.Part] = []
    for element in try node.array() {
      if let special = element["SpecialToken"] {
        let type = Int32(try special.member("type_id").integer(below: 128))
        let token = try processor.member("special_tokens").member(special.member("id").string())
        let ids = try token.member("ids")
        for id in try ids.array() {
          // Each stands in every text.
          guard parts.count < mostParts else { throw node.invalid("made of at most \(mostParts) tokens") }
          parts.append(.special(id: try id.tokenID(), type: type))
        }
      } else {
        let text = try element.member("Sequence")
        let name = try text.member("id")
        guard let source = ["A", "B"].firstIndex(of: try name.string()), source < sources else {
          throw name.invalid(sources == 1 ? "\"A\"" : "\"A\" or \"B\"")
        }
        guard parts.count < mostParts else { throw node.invalid("made of at most \(mostParts) tokens") }
        parts.append(.text(source: source, type: Int32(try text.member("type_id").integer(below: 128))))
      }
    }
    return parts
  }
}

extension SequenceTemplate {
  /// `<s> A </s>` and `<s> A </s> </s> B </s>`, token type 0 throughout.
  static func roberta(classification: Int32, separator: Int32) -> SequenceTemplate {
    let end = Part.special(id: separator, type: 0)
    let single: [Part] = [.special(id: classification, type: 0), .text(source: 0, type: 0), end]
    return SequenceTemplate(single: single, pair: single + [end, .text(source: 1, type: 0), end])
  }

  /// Special tokens must be in the vocabulary: an id outside it would read past the embedding table.
  func check(_ file: JSONNode, token: (Int32) -> String?) throws(TextError) {
    for case .special(let id, _) in single + pair where token(id) == nil {
      throw .invalidValue(
        path: file.path, key: "post_processor", expected: "made of ids of the vocabulary, not \(id)")
    }
  }
}
