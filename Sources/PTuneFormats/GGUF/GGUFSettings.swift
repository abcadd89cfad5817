import PTuneLibc

/// The keys of config.json that a GGUF file's metadata and tensors stand for.
struct GGUFSettings {
  /// The tensor with what each frequency is divided by, in files of Llama 3.1 and later.
  static let rotaryFactors = "rope_freqs.weight"

  let config: ModelConfig
  /// Columns of queries and keys of one head.
  let headSize: Int

  private let file: GGUFFile
  private let prefix: String

  init(_ file: GGUFFile, _ architecture: GGUFArchitecture) throws(GGUFError) {
    self.file = file
    prefix = architecture.name + "."
    var keys: JSONObject = [
      "model_type": .string(architecture.name), "architectures": .array([.string(architecture.modelClass)]),
    ]
    for (key, name) in architecture.settings.sorted(by: { $0.key < $1.key }) {
      keys[name] =
        key.hasSuffix("epsilon")
        ? .double(try file.required(prefix + key, "a number", \.number))
        : .int(try Self.count(file, prefix + key))
    }
    let size = try Self.count(file, prefix + "embedding_length")
    let heads = try Self.count(file, prefix + "attention.head_count")
    let layers = try Self.count(file, prefix + "block_count")
    let longest = try Self.count(file, prefix + "context_length")
    guard layers <= file.tensors.count else {
      throw Self.refusal(file, prefix + "block_count", "\(layers)", "at most as many as there are tensors")
    }
    headSize =
      try file.value(prefix + "attention.key_length", "an integer", \.integer) ?? Swift.max(1, size / heads)
    guard headSize > 0, headSize <= size else {
      throw Self.refusal(
        file, prefix + "attention.key_length", "\(headSize)", "up to embedding_length \(size)")
    }
    guard let words = file.tensor("token_embd.weight") else {
      throw GGUFError(file: file.path, problem: .missing(tensor: "token_embd.weight"))
    }
    keys["vocab_size"] = .int(words.shape[0])
    keys["tie_word_embeddings"] = .bool(file.tensor("output.weight") == nil)
    for end in ["bos", "eos"] {
      let id = try file.value("tokenizer.ggml.\(end)_token_id", "an integer", \.integer)
      keys["\(end)_token_id"] = id.map { .int($0) }
    }
    if architecture.isRotary {
      let keyValueHeads = try file.value(prefix + "attention.head_count_kv", "an integer", \.integer)
      keys["num_key_value_heads"] = .int(keyValueHeads ?? heads)
      keys["head_dim"] = .int(headSize)
      keys["attention_bias"] = .bool(file.tensor("blk.0.attn_q.bias") != nil)
      keys["mlp_bias"] = .bool(file.tensor("blk.0.ffn_gate.bias") != nil)
      // A sequence within the window attends to all of itself, so the window limits the positions.
      if let window = try file.value(prefix + "attention.sliding_window", "an integer", \.integer), window > 0
      {
        keys["max_position_embeddings"] = .int(Swift.min(longest, window))
      }
      try Self.refuse(file, prefix + "expert_count", unless: 0, supported: "models without experts")
      try Self.refuse(
        file, prefix + "attention.value_length", unless: headSize, supported: "values of the keys' size")
      try Self.refuse(
        file, prefix + "rope.dimension_count", unless: headSize, supported: "all columns turned: \(headSize)")
      keys["rope_parameters"] = .object(try Self.rotation(file, prefix, headSize: headSize))
    }
    config = ModelConfig(path: file.path, members: keys)
  }

  private static func rotation(
    _ file: GGUFFile, _ prefix: String, headSize: Int
  ) throws(GGUFError) -> JSONObject {
    let rope = prefix + "rope."
    let known =
      ["dimension_count", "freq_base", "scaling.type", "scaling.factor"]
      + ["scaling.original_context_length", "scaling.finetuned"]
    for key in file.metadata.keys.sorted() where key.hasPrefix(rope) {
      guard known.contains(String(key.dropFirst(rope.count))) else {
        throw refusal(file, key, "set", known.map { rope + $0 }.joined(separator: ", "))
      }
    }
    let theta = try file.value(rope + "freq_base", "a number", \.number) ?? 10_000
    var keys: JSONObject = ["rope_type": "default", "rope_theta": .double(theta)]
    let type = try file.value(rope + "scaling.type", "a string", \.string) ?? "none"
    switch type {
    case "none": break
    case "linear", "yarn":
      keys["rope_type"] = .string(type)
      keys["factor"] = .double(try file.required(rope + "scaling.factor", "a number", \.number))
      let length = try file.value(rope + "scaling.original_context_length", "an integer", \.integer)
      if type == "yarn" { keys["original_max_position_embeddings"] = length.map { .int($0) } }
    default: throw refusal(file, rope + "scaling.type", "'\(type)'", "none, linear, yarn")
    }
    guard file.tensor(rotaryFactors) != nil else { return keys }
    let factors = try file.floats(rotaryFactors).array
    let scaling = Llama3Scaling(factor: factors.max() ?? 1)
    guard type == "none", factors.count == headSize / 2,
      zip(factors.indices, factors).allSatisfy({ index, factor in
        let expected = scaling.divisor(pow(theta, -2 * Double(index) / Double(headSize)))
        return abs(Double(factor) / expected - 1) < 1e-4
      })
    else { throw refusal(file, rotaryFactors, "not as expected", "the factors of Llama 3.1 to 3.3") }
    return scaling.keys(theta: theta)
  }

  /// A whole number above 0.
  private static func count(_ file: GGUFFile, _ key: String) throws(GGUFError) -> Int {
    let count = try file.required(key, "an integer", \.integer)
    guard count > 0 else { throw refusal(file, key, "\(count)", "numbers above 0") }
    return count
  }

  private static func refuse(
    _ file: GGUFFile, _ key: String, unless expected: Int, supported: String
  ) throws(GGUFError) {
    let value = try file.value(key, "an integer", \.integer) ?? expected
    guard value == expected else { throw refusal(file, key, "\(value)", supported) }
  }

  private static func refusal(
    _ file: GGUFFile, _ key: String, _ value: String, _ supported: String
  ) -> GGUFError {
    GGUFError(file: file.path, problem: .setting(key: key, value: value, supported: supported))
  }
}

/// The scaling of rotary positions in Llama 3.1 to 3.3, of which a GGUF file only has the result.
private struct Llama3Scaling {
  static let low = 1.0
  static let high = 4.0
  static let length = 8192

  let factor: Double

  init(factor: Float) { self.factor = Double(factor) }

  /// What a frequency is divided by.
  func divisor(_ frequency: Double) -> Double {
    let turns = Double(Self.length) * frequency / (2 * .pi)
    if turns < Self.low { return factor }
    if turns > Self.high { return 1 }
    let share = (turns - Self.low) / (Self.high - Self.low)
    return 1 / ((1 - share) / factor + share)
  }

  func keys(theta: Double) -> JSONObject {
    [
      "rope_type": "llama3", "rope_theta": .double(theta), "factor": .double(factor),
      "low_freq_factor": .double(Self.low), "high_freq_factor": .double(Self.high),
      "original_max_position_embeddings": .int(Self.length),
    ]
  }
}
