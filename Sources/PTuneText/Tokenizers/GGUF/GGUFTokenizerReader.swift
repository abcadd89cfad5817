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
    let kind = try required("model", "a string", \.string)
    guard kind == "gpt2" else { throw unsupported("model", kind, ["gpt2"]) }
    let name = try value("pre", "a string", \.string) ?? "default"
    guard let cutting = GGUFCutting.named[name] else {
      throw unsupported("pre", name, GGUFCutting.named.keys.sorted())
    }
    let tokens = try read { file throws(GGUFError) in try file.strings(Self.keys + "tokens") } ?? []
    guard !tokens.isEmpty, tokens.count < Vocabulary.maximumID else {
      throw invalid("tokens", "a list of less than \(Vocabulary.maximumID) tokens")
    }
    var vocabulary = Vocabulary(bytes: tokens.reduce(0) { $0 + $1.utf8.count })
    for (id, token) in tokens.enumerated() { vocabulary.add(token, id: Int32(id)) }
    let model = BPEModel(
      vocabulary: vocabulary, merges: try merges(vocabulary), unknown: nil, fusesUnknown: false,
      fallsBackToBytes: false, ignoresMerges: cutting.ignoresMerges, isByteLevel: true)
    var preTokenizer = PreTokenizer()
    preTokenizer.splits = cutting.splits
    preTokenizer.isByteLevel = true
    let special = try specialTokens(tokens.count)
    return SubwordTokenizer(
      normalizer: NormalizerSteps(), preTokenizer: preTokenizer, model: model, added: try added(tokens),
      template: try template(special, cutting), trimming: nil, decoder: TokenDecoder(steps: [.byteLevel]),
      specialTokens: special)
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
    let types = try read { file throws(GGUFError) in try file.integers(Self.keys + "token_type") } ?? []
    guard types.isEmpty || types.count == tokens.count else {
      throw invalid("token_type", "a list as long as tokens")
    }
    for (id, type) in types.enumerated() where type == control || type == userDefined {
      added.add(
        AddedToken(id: Int32(id), content: tokens[id], isSpecial: type == control),
        normalizer: NormalizerSteps())
    }
    return added
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
    _ special: SpecialTokens, _ cutting: GGUFCutting
  ) throws(TextError) -> SequenceTemplate {
    func part(_ key: String, _ name: String, _ id: Int32?, default usual: Bool) throws(TextError) -> Int32? {
      let given = try value(key, "a boolean", \.boolean)
      if given == true, id == nil { throw .missingKey(path: file.path, key: Self.keys + name) }
      return given ?? usual ? id : nil
    }
    let begin = try part("add_bos_token", "bos_token_id", special.beginning, default: cutting.addsBeginning)
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

/// How the vocabularies that `tokenizer.ggml.pre` names cut text into words. Source: llama.cpp's `llama-vocab.cpp`.
struct GGUFCutting: Sendable {
  let splits: [PreTokenizer.Split]
  /// A word that is in the vocabulary as a whole is not merged.
  var ignoresMerges = false
  /// Whether a text gets a token in front where the file does not say.
  var addsBeginning = false

  /// By name. `default` stands for files from before the key, most of them with GPT-2's words.
  static let named: [String: GGUFCutting] = {
    let gpt2 = GGUFCutting(splits: [.words(.gpt2)])
    let digits = GGUFCutting(splits: [.digits(individually: true), .words(.gpt2)])
    let llama3 = GGUFCutting(splits: [.words(.gpt4(digits: 3))], ignoresMerges: true, addsBeginning: true)
    let gpt4 = GGUFCutting(splits: [.words(.gpt4(digits: 3))])
    let qwen2 = GGUFCutting(splits: [.words(.gpt4(digits: 1))])
    return [
      "default": gpt2, "gpt-2": gpt2, "phi-2": gpt2, "mpt": gpt2, "olmo": gpt2, "roberta-bpe": gpt2,
      "smollm": digits, "starcoder": digits, "refact": digits, "command-r": digits, "codeshell": digits,
      "llama3": llama3, "llama-v3": llama3, "llama-bpe": llama3, "dbrx": gpt4, "smaug-bpe": gpt4,
      "qwen2": qwen2, "deepseek-r1-qwen": qwen2,
    ]
  }()
}
