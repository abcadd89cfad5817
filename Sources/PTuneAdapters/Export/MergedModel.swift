import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText

/// A base model whose vocabulary has an adapter's virtual tokens, in a folder: config.json, weights, tokenizer.
struct MergedModel {
  let composition: Composition
  let tokens: VirtualTokens
  /// How the head of the base model's class is made, for a task with one.
  let expression: PEFTExpression?

  /// The output layers of transformers' classes, beside the word embeddings, with a row or a number for each token.
  private static let outputs = [
    "lm_head.weight", "lm_head.bias", "lm_head.decoder.weight", "lm_head.decoder.bias",
    "cls.predictions.decoder.weight", "cls.predictions.decoder.bias", "cls.predictions.bias",
    "vocab_projector.weight", "vocab_projector.bias",
  ]

  /// Writes the folder, whole or not at all.
  ///
  /// - Throws: ``MergeError`` for weights that ptune does not know, ``ExportTargetError`` for a folder that holds something;
  ///   `FileError` or `SafetensorsError`.
  func write(to output: String) throws {
    let source = composition.modelFolder
    guard
      try !FileSystem.exists(output) || FileSystem.isFolder(output) && FileSystem.entries(of: output).isEmpty
    else {
      throw ExportTargetError.exists(output, isFile: false)
    }
    let checkpoint = try Checkpoint(folder: source)
    let changed = try tensors(checkpoint)
    let folder = try AtomicFolder(output)
    let names = Set(changed.map(\.name))
    try SafetensorsWriter.write(
      changed,
      copying: checkpoint.files.flatMap { file in
        file.names.filter { !names.contains($0) }.map { ($0, file) }
      }, metadata: ["format": "pt"], to: FilePath.join(folder.staging, "model.safetensors"))
    try AtomicFile.write(config(changed).text(.pretty), to: FilePath.join(folder.staging, "config.json"))
    let tokenizer = MergedTokenizer(folder: source, names: tokens.names, first: tokens.first)
    try tokenizer.write(to: folder.staging)
    try copyOthers(from: source, to: folder.staging)
    try folder.commit()
  }

  /// Files that the vocabulary does not concern.
  private func copyOthers(from source: String, to folder: String) throws {
    for name in try FileSystem.entries(of: source) {
      let (from, to) = (FilePath.join(source, name), FilePath.join(folder, name))
      let isWeights = [".safetensors", ".bin", ".gguf", ".index.json"].contains(where: name.hasSuffix)
      guard FileSystem.isFile(from), !FileSystem.exists(to), !isWeights, name != AdapterFolderFiles.card
      else { continue }
      try AtomicFile.write(try MappedFile(from).withBytes { Array($0) }, to: to)
    }
  }

  // MARK: - Weights

  /// The tables with the new rows, and the head's weights.
  private func tensors(_ checkpoint: Checkpoint) throws -> [TensorData] {
    guard let table = PEFTReader.wordTable(composition.checkpoint.config, in: checkpoint.names),
      let shape = checkpoint.tensor(table)?.shape, shape.count == 2, shape[1] == tokens.width
    else {
      throw MergeError.unknownEmbeddings(model: composition.modelName)
    }
    var changed = [try extended(table, checkpoint) { _ in tokens.rows }]
    for name in Self.outputs where checkpoint.tensor(name)?.shape.first == shape[0] {
      changed.append(try extended(name, checkpoint, with: neverFirst))
    }
    // Sharing a table, an output layer would give the virtual tokens scores of their own.
    if isCausal, !changed.contains(where: { $0.name == "lm_head.weight" }) {
      changed.append(try extended(table, checkpoint, as: "lm_head.weight", with: neverFirst))
    }
    return changed + head
  }

  private var isCausal: Bool { composition.model.facts?.causal ?? false }

  /// Output rows that are never written. For a bias a number that no score makes up for.
  private func neverFirst(_ tensor: FloatTensor) -> [Float] {
    guard tensor.shape.count == 2 else { return Array(repeating: -1e4, count: tokens.count) }
    let columns = tensor.shape[1]
    return tokens.unwritten(of: tensor.shape) { take in
      tensor.withValues { values in
        for start in stride(from: 0, to: values.count, by: columns) {
          take(UnsafeBufferPointer(rebasing: values[start..<start + columns]))
        }
      }
    }
  }

  /// A tensor with rows for the new tokens, which stand at their ids: behind the last one, or in the place of rows that the
  /// table has to spare.
  private func extended(
    _ name: String, _ checkpoint: Checkpoint, as newName: String? = nil, with make: (FloatTensor) -> [Float]
  ) throws -> TensorData {
    guard let tensor = checkpoint.tensor(name) else { preconditionFailure("the caller found it") }
    let bytes = Array(try checkpoint.unsafeBytes(name))
    let row = bytes.count / tensor.shape[0]
    guard let new = tensor.type.bytes(of: make(try checkpoint.floats(name))) else {
      throw MergeError.noFloats(tensor: name, model: composition.modelName)
    }
    let (begin, end) = (tokens.first * row, tokens.first * row + new.count)
    guard begin <= bytes.count else {
      throw MergeError.tooFewRows(tensor: name, model: composition.modelName)
    }
    return TensorData(
      name: newName ?? name, type: tensor.type,
      shape: [max(tensor.shape[0], tokens.first + tokens.count)] + tensor.shape.dropFirst(),
      bytes: bytes[..<begin] + new + bytes.dropFirst(end))
  }

  /// The head's weights under the names of transformers' class.
  private var head: [TensorData] {
    guard let expression, let task = expression.tasks.first else { return [] }
    let name = composition.tasks[task].name
    let places = expression.layout.places([name]) { .adapter($0) }
    return composition.model.exportHead(task: task).compactMap { tensor in
      places["\(ParameterOwner.head(name)).\(tensor.name)"].map {
        TensorData(name: $0.name, shape: tensor.shape, floats: tensor.values)
      }
    }
  }

  // MARK: - Config

  private func config(_ changed: [TensorData]) -> JSONValue {
    var config = composition.checkpoint.config.members
    config["vocab_size"] = .int(changed[0].shape[0])
    if isCausal { config["tie_word_embeddings"] = false }
    guard let expression, expression.type != .causalLM else { return .object(config) }
    let task = composition.tasks[expression.tasks[0]]
    config["architectures"] = nil
    if !task.labels.isEmpty {
      var (names, numbers) = (JSONObject(), JSONObject())
      for (index, label) in task.labels.enumerated() {
        names["\(index)"] = .string(label)
        numbers[label] = .int(index)
      }
      (config["id2label"], config["label2id"]) = (.object(names), .object(numbers))
    } else if task.head.plugin == "regression" {
      config["id2label"] = ["0": "LABEL_0"]
      config["label2id"] = ["LABEL_0": 0]
    }
    if let problem = PEFTLoading.problemType(task) { config["problem_type"] = .string(problem) }
    return .object(config)
  }
}

/// A tokenizer's files with tokens added.
struct MergedTokenizer {
  let folder: String
  let names: [String]
  let first: Int

  /// Writes the files that change.
  ///
  /// - Throws: `FileError` or `JSONError`.
  func write(to output: String) throws {
    func path(_ name: String) -> String { FilePath.join(output, name) }
    let (json, words) = (FilePath.join(folder, "tokenizer.json"), FilePath.join(folder, "vocab.txt"))
    if FileSystem.isFile(json) {
      var document = try JSONValue.read(json).objectValue ?? JSONObject()
      var added = document["added_tokens"]?.arrayValue ?? []
      for (index, name) in names.enumerated() {
        var members: JSONObject = ["id": .int(first + index), "content": .string(name)]
        for (key, value) in flags { members[key] = value }
        added.append(.object(members))
      }
      document["added_tokens"] = .array(added)
      try AtomicFile.write(JSONValue.object(document).text(.pretty), to: path("tokenizer.json"))
    }
    if FileSystem.isFile(words) {
      var text = try MappedFile(words).text()
      if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
      try AtomicFile.write(text + names.joined(separator: "\n") + "\n", to: path("vocab.txt"))
    }
    try writeConfig(to: path("tokenizer_config.json"))
  }

  /// How the tokens are found in text: as they stand, and the blanks beside them belong to the words there.
  private var flags: [(String, JSONValue)] {
    [("single_word", false), ("lstrip", false), ("rstrip", false), ("normalized", false), ("special", true)]
  }

  private func writeConfig(to path: String) throws {
    let source = FilePath.join(folder, "tokenizer_config.json")
    var config =
      FileSystem.isFile(source) ? try JSONValue.read(source).objectValue ?? JSONObject() : JSONObject()
    var decoder = config["added_tokens_decoder"]?.objectValue ?? JSONObject()
    for (index, name) in names.enumerated() {
      var members: JSONObject = ["content": .string(name)]
      for (key, value) in flags { members[key] = value }
      decoder["\(first + index)"] = .object(members)
    }
    config["added_tokens_decoder"] = .object(decoder)
    let others = config["additional_special_tokens"]?.arrayValue ?? []
    config["additional_special_tokens"] = .array(others + names.map { .string($0) })
    try AtomicFile.write(JSONValue.object(config).text(.pretty), to: path)
  }
}
