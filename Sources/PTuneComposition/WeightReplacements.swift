import PTuneFormats

/// Weights that an adapter puts in the place of the base model's.
package struct WeightReplacements: Sendable {
  /// The output layer of a causal model.
  private static let output = "lm_head.weight"
  private let file: SafetensorsFile?
  /// The name in the adapter's file of each weight, by its name in the checkpoint.
  private let stored: [String: String]
  /// The base model's weight that its output layer goes on with, where its word embeddings are replaced and were the
  /// output layer as well.
  private let ownOutput: String?
  /// The rows of the word embeddings, where the adapter has more or fewer than the base model: its tokenizer has tokens
  /// of its own.
  let vocabularySize: Int?

  /// A weight that cannot take the place of one of the base model's.
  package struct Misfit: Error {
    /// What the adapter's file calls it.
    package let tensor: String
    /// What is wrong with it.
    package let reason: String
  }

  /// None.
  package static let none = WeightReplacements()

  private init() { (file, stored, ownOutput, vocabularySize) = (nil, [:], nil, nil) }

  /// Finds what the weights are called in the checkpoint.
  ///
  /// - Parameters:
  ///   - weights: each as the transformers class calls it, and as the file calls it.
  ///   - table: what the transformers class calls the word embeddings; nil for a family that is not known.
  ///   - sharesTable: whether the output layer shares them.
  /// - Throws: ``Misfit`` for one that the checkpoint does not have, or not of
  ///   this shape; word embeddings and output layer may have more or fewer rows, but both as many.
  package init(
    _ weights: [(name: String, stored: String)], table: String?, sharesTable: Bool,
    from file: SafetensorsFile,
    in checkpoint: any ModelWeights
  ) throws(Misfit) {
    var found: [String: String] = [:]
    var resized: Int?
    for (name, stored) in weights {
      func wrong(_ reason: String) -> Misfit { Misfit(tensor: stored, reason: reason) }
      // A model that shares its output layer with the word embeddings has no tensor of this name.
      guard let known = Self.names(of: name).first(where: { checkpoint.has($0) }) else {
        guard name == Self.output else { throw wrong("is not a weight of the base model") }
        found[name] = stored
        continue
      }
      let (shape, own) = (file.tensor(stored)?.shape ?? [], checkpoint.shape(of: known) ?? [])
      let hasRowsForTokens = name == table || name == Self.output
      guard shape == own || hasRowsForTokens && shape.count == 2 && shape.dropFirst() == own.dropFirst()
      else {
        throw wrong("has the shape \(shape), but the base model's is \(own)")
      }
      if name == table, shape != own { resized = shape[0] }
      found[known] = stored
    }
    (self.file, self.stored, vocabularySize) = (file, found, resized)
    let own = table.flatMap { Self.names(of: $0).first { found[$0] != nil } }
    // A resized table cannot leave the old one to the output layer.
    ownOutput = sharesTable && found[Self.output] == nil && resized == nil ? own : nil
    try checkOutput(table.flatMap { Self.names(of: $0).first { checkpoint.has($0) } }, file, checkpoint)
  }

  /// - Throws: ``Misfit`` where the output layer would have other rows than the
  ///   word embeddings.
  private func checkOutput(
    _ table: String?, _ file: SafetensorsFile, _ checkpoint: any ModelWeights
  ) throws(Misfit) {
    guard let name = stored[Self.output], let shape = file.tensor(name)?.shape, shape.count == 2,
      let rows = vocabularySize ?? table.flatMap({ checkpoint.shape(of: $0)?.first }), shape[0] != rows
    else { return }
    throw Misfit(tensor: name, reason: "has \(shape[0]) rows, but the word embeddings have \(rows)")
  }

  /// What a weight of a transformers class may be called: in checkpoints of the bare model the class's own prefix is
  /// missing, and old ones call the parts of norms gamma and beta.
  private static func names(of name: String) -> [String] {
    let bare = name.firstIndex(of: ".").map { String(name[name.index(after: $0)...]) }
    let names = [name] + (bare.map { [$0] } ?? [])
    return names
      + names.compactMap { name -> String? in
        if name.hasSuffix(".weight") { return "\(name.dropLast(6))gamma" }
        return name.hasSuffix(".bias") ? "\(name.dropLast(4))beta" : nil
      }
  }

  /// Whether a tensor of the adapter's file is one of them.
  package func stores(_ name: String) -> Bool { stored.values.contains(name) }
  /// Whether there are none.
  package var isEmpty: Bool { stored.isEmpty }
  /// The names of the weights in the checkpoint, sorted.
  package var names: [String] { stored.keys.sorted() }
  /// Whether a causal model gets an output layer of its own.
  var untieOutput: Bool { ownOutput != nil || stored[Self.output] != nil }
  /// Whether the checkpoint's weight of this name is not to be used: an output layer for other tokens.
  func hides(_ name: String) -> Bool {
    name == Self.output && vocabularySize != nil && stored[Self.output] == nil
  }
  /// Whether there is a weight of this name.
  func holds(_ name: String) -> Bool { stored[name] != nil || name == Self.output && ownOutput != nil }

  /// A weight as 32-bit floats; nil if it is not replaced.
  ///
  /// - Throws: `SafetensorsError` for one that does not contain floats.
  func floats(_ name: String, of checkpoint: any ModelWeights) throws -> FloatTensor? {
    if name == Self.output, let ownOutput { return try checkpoint.floats(ownOutput) }
    guard let file, let name = stored[name] else { return nil }
    return try file.floats(name)
  }
}
