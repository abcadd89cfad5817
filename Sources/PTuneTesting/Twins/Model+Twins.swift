import PTune
import PTuneEngine

extension Model {
  /// A model without components, on two threads unless the test says otherwise.
  public static func forTesting(threads: Int = 2, seed: UInt64 = 1) -> Model {
    TestHost.connect()
    return Model(session: Session(threads: ThreadPool(count: threads), seed: seed))
  }

  /// Makes a ``TinyTransformer`` the base model.
  ///
  /// - Parameters:
  ///   - seed: of its weights.
  ///   - maskToken: the token of a mask; nil for a tokenizer without one.
  ///   - make: makes another base model over its weights.
  /// - Throws: `EngineFailure`, which would be a fault of the engine.
  public func useTwinBase(
    causal: Bool = false, seed: UInt64 = 7, maskToken: Int32? = nil, make: (() throws -> any BaseModel)? = nil
  ) throws {
    let tokens = Int32(TinyTransformer.vocabularySize)
    try setBase(
      ComponentIdentity(component: "base model tiny", owner: ParameterOwner.base),
      checkpoint: TinyTransformer.checkpoint(seed: seed),
      tokenize: { $0.utf8.map { Int32($0) % tokens } }, frequentTokens: { Array(0..<min(tokens, Int32($0))) },
      specialToken: { $0 == .mask ? maskToken : nil }
    ) { _ in try make?() ?? TinyTransformer(causal: causal) }
  }

  /// Makes an adapter that the test wrote the model's; failures name it "adapter twin".
  ///
  /// - Throws: `EngineFailure` with what `make` threw.
  public func useTwinAdapter(_ make: @escaping () throws -> any Adapter) throws {
    try setAdapter(ComponentIdentity(component: "adapter twin", owner: ParameterOwner.adapter)) { _ in
      try make()
    }
  }

  /// Adds a ``TwinHead``.
  ///
  /// - Throws: `EngineFailure` if there is no base model yet.
  public func useTwinHead(_ reading: TwinHead.Reading = .mean) throws {
    try addHead(ComponentIdentity(component: "task head twin", owner: ParameterOwner.head("twin"))) { _ in
      try TwinHead(reading)
    }
  }
}

extension PackedBatch {
  /// Sequences of these lengths with tokens and classes that differ, in the order of a small generator.
  ///
  /// - Parameters:
  ///   - vocabulary: tokens are below it; by default those of ``TinyTransformer``.
  ///   - classes: targets are below it.
  ///   - marks: how many places each sequence has for the rows of ``Placement/template``, spread in front of its tokens.
  public static func forTesting(
    lengths: [Int] = [5, 1, 3], vocabulary: Int = TinyTransformer.vocabularySize, classes: Int = 2,
    marks: Int = 0, training: Bool = true
  ) -> PackedBatch {
    var generator = SplitMix64(seed: 3)
    return PackedBatch(
      lengths.enumerated().map { index, length in
        Sequence(
          tokens: (0..<length).map { _ in Int32(generator.next() % UInt64(vocabulary)) },
          integers: [Int32(index % classes)], marks: (0..<marks).map { Int32($0 * length / marks) })
      }, training: training)
  }
}
