import PTuneFormats

extension FuzzTarget {
  /// The formats of models.
  static let formats = [safetensors, gguf, json, config, cacheReference]

  static let safetensors = FuzzTarget("safetensors") {
    try Fixtures.files("\(Fixtures.folder)/peft", "adapter_model.safetensors")
      + [Fixtures.bytes("demo-trajectory.safetensors")]
  } body: { input, scratch in
    let file = try SafetensorsFile(try scratch.file("model.safetensors", input))
    for tensor in file.tensors {
      precondition(tensor.range.upperBound <= input.count)
      precondition(tensor.count == tensor.shape.reduce(1, *))
      guard tensor.type.isFloat else { continue }
      touch(try file.floats(tensor.name))
    }
  }

  static let gguf = FuzzTarget("gguf") {
    var made = [MadeGGUF.tiny]
    for name in ["gguf-blocks.gguf", "gguf/llama-quantised.gguf"] { made.append(try Fixtures.bytes(name)) }
    return made
  } body: { input, scratch in
    let path = try scratch.file("model.gguf", input)
    let file = try GGUFFile(path)
    for tensor in file.tensors { touch(try file.floats(tensor.name)) }
    let tokenizer = Result { try TextCheck.tokenizer(path) }
    let model = try GGUFModel(path)
    for tensor in file.tensors {
      let name = tensor.name.replacingOccurrences(of: "blk.", with: "model.layers.")
      if model.has(name) { touch(try model.floats(name)) }
    }
    for key in ["hidden_size", "vocab_size", "num_hidden_layers"] { _ = try model.config.integer(key) }
    _ = model.fingerprint
    try tokenizer.get()
  }

  static let json = FuzzTarget("json") {
    let texts = [
      #"{"a":[1,-2.5e-3,true,false,null,"\u00e9\ud83d\ude00\n"],"b":{"c":{}},"a b":[]}"#,
      "[[[[[[0]]]]]]", "\u{FEFF}-0.0", #""\\\/\b\f\n\r\t""#,
      "[9223372036854775807,1e308,5e-324,18446744073709551616]",
    ]
    return texts.map { Array($0.utf8) }
  } body: { input, _ in
    for options in [JSONOptions(), JSONOptions(duplicates: .keepLast)] {
      let value = try input.withUnsafeBytes { try JSONValue.parse(bytes: $0, options: options) }
      for style in [JSONStyle.compact, .pretty] {
        // Numbers and texts are written so that they read back the same.
        let again = try JSONValue.parse(value.text(style))
        precondition(again == value)
      }
    }
  }

  static let config = FuzzTarget("config") {
    try [
      "tiny-bert", "tiny-distilbert", "tiny-gpt2", "tiny-llama", "tiny-llama3", "tiny-qwen2", "tiny-roberta",
    ]
    .map { try Fixtures.bytes("\($0)/config.json") }
  } body: { input, scratch in
    let config = try ModelConfig(path: try scratch.file("config.json", input))
    _ = (config.modelType, config.architectures)
    for key in ["eos_token_id", "bos_token_id"] { _ = try config.tokenIDs(key) }
    for key in ["hidden_size", "num_hidden_layers", "rope_scaling.factor", "n_embd"] {
      _ = try config.integer(key)
      _ = try config.number(key)
    }
    _ = try (config.boolean("tie_word_embeddings"), config.string("hidden_act"))
  }

  /// A revision of a repository in the Hugging Face cache.
  static let cacheReference = FuzzTarget("cache-reference") {
    ["0123456789abcdef0123456789abcdef01234567\n", "..", "a/b", "\0\0a//b"].map { Array($0.utf8) }
  } body: { input, scratch in
    let repository = FilePath.join(scratch.folder, "models--a--b")
    for folder in [repository, "\(repository)/refs"] { try FileSystem.createFolder(folder) }
    _ = try scratch.file("models--a--b/refs/main", input)
    let resolver = ModelResolver(
      environment: ["HF_HUB_CACHE": scratch.folder, "HOME": scratch.folder], currentFolder: scratch.folder)
    let name = String(decoding: input, as: UTF8.self)
    for model in ["a/b", "a/b@\(name)", name] {
      // Nothing is there, so whatever is found lies outside of the cache.
      if let found = try? resolver.resolve(model) { fatalError("\(model.debugDescription) is \(found)") }
    }
  }

  private static func touch(_ tensor: FloatTensor) {
    tensor.withValues { values in
      precondition(values.count == tensor.shape.reduce(1, *))
      // The first and the last page: a sum of all of them would be most of the time.
      _ = (values.first ?? 0) + (values.last ?? 0)
    }
  }
}

extension String {
  /// The text with other words in the place of some.
  fileprivate func replacingOccurrences(of words: String, with others: String) -> String {
    var parts = split(separator: words, omittingEmptySubsequences: false)[...]
    guard let first = parts.popFirst() else { return self }
    return parts.reduce(String(first)) { $0 + others + $1 }
  }
}
