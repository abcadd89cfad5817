import PTuneComposition
import PTuneFormats

/// A GGUF file whose vocabulary has an adapter's virtual tokens, as control tokens at its end.
///
/// Tensors keep their bytes, but for the word embeddings and the output layer, whose old rows do. Quantised word embeddings
/// become 32-bit floats, which hold what the blocks stand for exactly, so that neither the other words nor the prompt are
/// rounded.
struct MergedGGUF {
  let path: String
  let tokens: VirtualTokens

  private static let table = "token_embd.weight"
  private static let output = "output.weight"
  private static let keys = "tokenizer.ggml."
  private static let controlToken = 3

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: ``ExportTargetError`` for another name than a new one that ends on `.gguf`, ``MergeError`` for a vocabulary
  ///   that is not that of the weights; `GGUFError` or `FileError`.
  func write(to output: String) throws {
    guard ModelResolver.isGGUF(output) else {
      throw ExportTargetError.notGGUF(output)
    }
    guard !FileSystem.exists(output) else {
      throw ExportTargetError.exists(output, isFile: true)
    }
    let file = try GGUFFile(path)
    guard let table = file.tensor(Self.table), table.shape.count == 2, table.shape[1] == tokens.width,
      table.shape[0] == tokens.first
    else {
      throw MergeError.tokensWithoutRows(file: path, tensor: Self.table)
    }
    var revision = GGUFRevision(file)
    try extendTokenizer(of: file, &revision)
    revision.change(Self.table, table.type.blockCount > 1 ? .widened(tokens.rows) : .appended(tokens.rows))
    if let own = file.tensor(Self.output) {
      revision.change(Self.output, .appended(try neverFirst(own, file)))
    } else {
      // Sharing a table, an output layer would give the virtual tokens scores of their own.
      revision.add(Self.output, rowsOf: table, and: try neverFirst(table, file))
    }
    try revision.write(to: output)
  }

  private func extendTokenizer(of file: GGUFFile, _ revision: inout GGUFRevision) throws {
    func append(_ key: String, _ value: (String) -> GGUFValue) {
      guard case .array? = file.metadata[Self.keys + key] else { return }
      revision.append(tokens.names.map(value), to: Self.keys + key)
    }
    guard file.metadata[Self.keys + "token_type"] != nil else {
      throw MergeError.noTokenTypes(file: path)
    }
    append("tokens") { .string($0) }
    append("token_type") { _ in .integer(Int64(Self.controlToken)) }
    // As those that llama.cpp's converter adds: no merge makes them.
    append("scores") { _ in .number(-1000) }
    let architecture = try file.required("general.architecture", "a string", \.string)
    let size = "\(architecture).vocab_size"
    if file.metadata[size]?.integer != nil { revision.set(size, to: tokens.first + tokens.count) }
  }

  private func neverFirst(_ tensor: GGUFTensor, _ file: GGUFFile) throws -> [Float] {
    try tokens.unwritten(of: tensor.shape) { take in
      try file.forEachRow(of: tensor) { take(UnsafeBufferPointer($0)) }
    }
  }
}
