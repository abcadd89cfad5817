import PTune

/// What the layers of the base model are given when it reads some tokens alone: where deep prompts start from.
final class BaseReading {
  private let model: any BaseModel
  private let identity: ComponentIdentity
  private unowned let session: Session
  /// The latest tokens and, layer by layer, all parts: who asks for one asks for the others next.
  private var latest: (tokens: [Int32], layers: [[[Float]]])?

  init(_ model: any BaseModel, _ identity: ComponentIdentity, _ session: Session) {
    self.model = model
    self.identity = identity
    self.session = session
  }

  /// A part of what a layer is given, row by row.
  ///
  /// - Throws: ``EngineFailure`` of the base model, or a ``ComponentFailure`` that says how it was asked wrongly.
  func rows(_ tokens: [Int32], layer: Int, _ part: Base.LayerPart) throws -> [Float] {
    let facts = model.facts
    guard (0..<facts.layers).contains(layer) else {
      throw ComponentFailure("layer \(layer) of a base model of \(facts.layers)")
    }
    guard !tokens.isEmpty, tokens.count <= facts.positions else {
      throw ComponentFailure.badArgument(
        "\(tokens.count) tokens for a base model of \(facts.positions) positions; use fewer virtual tokens")
    }
    if let wrong = tokens.first(where: { $0 < 0 || $0 >= facts.vocabularySize }) {
      throw ComponentFailure(
        "token \(wrong) is not in the base model's vocabulary of \(facts.vocabularySize)")
    }
    if latest?.tokens != tokens { latest = (tokens, try read(tokens, facts)) }
    return latest?.layers[layer][Int(part.rawValue) - 1] ?? []
  }

  /// Forgets the latest tokens.
  func forget() { latest = nil }

  private func read(_ tokens: [Int32], _ facts: BaseFacts) throws -> [[[Float]]] {
    let batch = PackedBatch([.init(tokens: tokens)], training: false)
    let pass = ForwardPass(batch: batch, injections: InjectionSet(batch: batch), causal: facts.causal)
    let handle = session.handle(for: pass, .forward)
    return try session.call(identity, "forward") { call in
      _ = try Host.within(call) { try model.forward(Forward(handle: handle)) }
      let parts = try (0..<facts.layers).map { layer in
        guard let input = pass.inputs[layer], let (keys, values) = pass.keysAndValues[layer] else {
          throw ComponentFailure("forward did not call key_rows and attention for layer \(layer)")
        }
        return [input, keys, values]
      }
      let values = try session.evaluate(parts.flatMap { $0 })
      return parts.indices.map { Array(values[3 * $0..<3 * $0 + 3]) }
    }
  }
}
