import PTuneFormats

/// Reads the tokenizer that a GGUF file has in its metadata.
struct GGUFTokenizerReader {
  private let file: GGUFFile
  private static let keys = "tokenizer.ggml."

  init(_ path: String) throws(TextError) {
    do {
      file = try GGUFFile(path)
    } catch let error as GGUFError {
      throw .modelFile(error)
    } catch {
      throw .unreadable(path: path, reason: "\(error)")
    }
  }

  func tokenizer() throws(TextError) -> any Tokenizer {
    switch try required("model", "a string", \.string) {
    case "gpt2": return try bytePairEncoding()
    case "llama": return try sentencePiece()
    case let kind: throw unsupported("model", kind, ["gpt2", "llama"])
    }
  }

  /// The tokens, which are of all kinds.
  private func tokens() throws(TextError) -> (texts: [String], vocabulary: Vocabulary) {
    let tokens = try read { file throws(GGUFError) in try file.strings(Self.keys + "tokens") } ?? []
    guard !tokens.isEmpty, tokens.count < Vocabulary.maximumID else {
      throw invalid("tokens", "a list of less than \(Vocabulary.maximumID) tokens")
    }
    var vocabulary = Vocabulary(bytes: tokens.reduce(0) { $0 + $1.utf8.count })
    for (id, token) in tokens.enumerated() { vocabulary.add(token, id: Int32(id)) }
    return (tokens, vocabulary)
  }

  private func bytePairEncoding() throws(TextError) -> any Tokenizer {
    let name = try value("pre", "a string", \.string) ?? "default"
    guard let cutting = GGUFCutting.named[name] else {
      throw unsupported("pre", name, GGUFCutting.named.keys.sorted())
    }
    let (tokens, vocabulary) = try tokens()
    let model = BPEModel(
      vocabulary: vocabulary, merges: try merges(vocabulary), unknown: nil, fusesUnknown: false,
      fallsBackToBytes: false, ignoresMerges: cutting.ignoresMerges, isByteLevel: true)
    var preTokenizer = PreTokenizer()
    preTokenizer.splits = cutting.splits
    preTokenizer.isByteLevel = true
    let special = try specialTokens(tokens.count)
    return SubwordTokenizer(
      normalizer: NormalizerSteps(), preTokenizer: preTokenizer, model: model, added: try added(tokens),
      template: try template(special, addsBeginning: cutting.addsBeginning), trimming: nil,
      decoder: TokenDecoder(steps: [.byteLevel]),
      specialTokens: special)
  }

  /// SentencePiece's byte-pair encoding, as Llama 2 has it: the two neighbours merge whose token scores highest, and what
  /// the vocabulary does not have is spelt in bytes. Source: llama.cpp's `llama-vocab.cpp`.
  private func sentencePiece() throws(TextError) -> any Tokenizer {
    let (tokens, vocabulary) = try tokens()
    let types = try types(tokens.count)
    let scores = try read { file throws(GGUFError) in try file.numbers(Self.keys + "scores") } ?? []
    guard scores.count == tokens.count, scores.allSatisfy({ !$0.isNaN }) else {
      throw invalid("scores", "a list of numbers as long as tokens")
    }
    let special = try specialTokens(tokens.count)
    // NB: only ordinary tokens come of merges; "<0x0A>" or "<s>" that the text spells out does not.
    let model = BPEModel(
      vocabulary: vocabulary,
      merges: SentencePieceMerges.table(tokens, vocabulary, scores) {
        types.isEmpty || types[$0] == Self.normal
      },
      unknown: special.unknown, fusesUnknown: false, fallsBackToBytes: true, ignoresMerges: false,
      isByteLevel: false)
    let space = Array("▁".utf8)
    var steps: [NormalizerStep] = [.replace([0x20], with: space)]
    // Behind a special token as at the beginning, since each stretch between is written by itself.
    let hasPrefix = try value("add_space_prefix", "a boolean", \.boolean) ?? true
    if hasPrefix { steps.insert(.prepend(space), at: 0) }
    var decoding: [TokenDecoder.Step] = [.replace(.text(space), with: [0x20]), .byteFallback, .fuse]
    if hasPrefix { decoding.append(.strip([0x20], start: 1, stop: 0)) }
    return SubwordTokenizer(
      normalizer: NormalizerSteps(steps: steps), preTokenizer: PreTokenizer(), model: model,
      added: try added(tokens), template: try template(special, addsBeginning: true), trimming: nil,
      decoder: TokenDecoder(steps: decoding), specialTokens: special)
  }

  private func merges(_ vocabulary: Vocabulary) throws(TextError) -> MergeTable {
    let merges = try read { file throws(GGUFError) in try file.strings(Self.keys + "merges") }
    guard let merges else { throw .missingKey(path: file.path, key: Self.keys + "merges") }
    var table = MergeTable(count: merges.count)
    for (rank, merge) in merges.enumerated() {
      guard let parts = BPEReader.parts(.string(merge)) else {
        throw invalid("merges[\(rank)]", "two tokens with a space between")
      }
      guard table.add(parts, rank: rank, vocabulary) else {
        throw invalid("merges[\(rank)]", "two tokens of the vocabulary that make a third")
      }
    }
    return table
  }

  /// Tokens of the types "control" and "user defined" are found in the text as a whole. Source: ggml's
  /// `llama_token_type`.
  private func added(_ tokens: [String]) throws(TextError) -> AddedTokens {
    let (control, userDefined) = (3, 4)
    var added = AddedTokens()
    for (id, type) in try types(tokens.count).enumerated() where type == control || type == userDefined {
      added.add(
        AddedToken(id: Int32(id), content: tokens[id], isSpecial: type == control),
        normalizer: NormalizerSteps())
    }
    return added
  }

  private static let normal = 1

  /// The type of each token; empty where the file does not say.
  private func types(_ count: Int) throws(TextError) -> [Int] {
    let types = try read { file throws(GGUFError) in try file.integers(Self.keys + "token_type") } ?? []
    guard types.isEmpty || types.count == count else {
      throw invalid("token_type", "a list as long as tokens")
    }
    return types
  }

  private func specialTokens(_ count: Int) throws(TextError) -> SpecialTokens {
    func id(_ name: String) throws(TextError) -> Int32? {
      let key = "\(name)_token_id"
      guard let id = try value(key, "an integer", \.integer) else { return nil }
      guard (0..<count).contains(id) else { throw invalid(key, "an id of the vocabulary") }
      return Int32(id)
    }
    var special = SpecialTokens()
    special.beginning = try id("bos")
    special.end = try id("eos")
    special.unknown = try id("unknown")
    special.padding = try id("padding")
    special.separator = try id("seperator")  // NB: the format's spelling
    special.mask = try id("mask")
    return special
  }

  /// The beginning and the end of a text, where the file asks for them; both stand around each of two texts.
  private func template(
    _ special: SpecialTokens, addsBeginning: Bool
  ) throws(TextError) -> SequenceTemplate {
    func part(_ key: String, _ name: String, _ id: Int32?, default usual: Bool) throws(TextError) -> Int32? {
      let given = try value(key, "a boolean", \.boolean)
      if given == true, id == nil { throw .missingKey(path: file.path, key: Self.keys + name) }
      return given ?? usual ? id : nil
    }
    let begin = try part("add_bos_token", "bos_token_id", special.beginning, default: addsBeginning)
    let end = try part("add_eos_token", "eos_token_id", special.end, default: false)
    func around(_ source: Int) -> [SequenceTemplate.Part] {
      let type = Int32(source)
      return (begin.map { [.special(id: $0, type: type)] } ?? []) + [.text(source: source, type: type)]
        + (end.map { [.special(id: $0, type: type)] } ?? [])
    }
    return SequenceTemplate(single: around(0), pair: around(0) + around(1))
  }

  private func read<Value>(
    _ body: (GGUFFile) throws(GGUFError) -> Value
  ) throws(TextError) -> Value {
    do throws(GGUFError) { return try body(file) } catch { throw .modelFile(error) }
  }

  private func value<Value>(
    _ key: String, _ expected: String, _ get: (GGUFValue) -> Value?
  ) throws(TextError) -> Value? {
    try read { file throws(GGUFError) in try file.value(Self.keys + key, expected, get) }
  }

  private func required<Value>(
    _ key: String, _ expected: String, _ get: (GGUFValue) -> Value?
  ) throws(TextError) -> Value {
    try read { file throws(GGUFError) in try file.required(Self.keys + key, expected, get) }
  }

  private func invalid(_ key: String, _ expected: String) -> TextError {
    .invalidValue(path: file.path, key: Self.keys + key, expected: expected)
  }

  private func unsupported(_ key: String, _ type: String, _ supported: [String]) -> TextError {
    .unsupported(path: file.path, key: Self.keys + key, type: type, supported: supported)
  }
}
