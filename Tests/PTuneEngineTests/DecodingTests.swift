import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

/// Keys and values that are kept give what computing everything anew gives, whatever an adapter adds.
@Suite("Generation step by step") struct DecodingTests {
  /// The tiny transformer with scores of its vocabulary, which counts the rows that it is asked for.
  private final class ScoringTransformer: BaseModel {
    let inner: TinyTransformer
    var facts: BaseFacts { inner.facts }
    var wordTable: Tensor { inner.wordTable }
    private(set) var rows: [Int] = []

    init(causal: Bool) throws { inner = try TinyTransformer(causal: causal) }

    func forward(_ forward: Forward) throws -> Tensor {
      rows.append(forward.positions.count)
      return try inner.forward(forward)
    }

    func vocabularyScores(_ rows: Tensor) throws -> Tensor { rows.linear(wordTable) }
  }

  /// An adapter that injects what the test says; `own` are rows that differ from sequence to sequence, and that
  /// do not change as a text grows: the embeddings of its first token.
  private final class Injecting: Adapter {
    typealias Inject = (_ shared: (Int) -> Tensor, _ own: (Int) -> Tensor, Injections) throws -> Void
    let positions = 0
    let inject: Inject

    init(_ inject: @escaping Inject) { self.inject = inject }

    func inject(_ batch: Batch, into injections: Injections) throws {
      let columns = Base.facts.hiddenSize
      func shared(_ rows: Int) -> Tensor {
        .constant(
          (0..<rows * columns).map { Float(($0 * 7 + rows) % 11) / 5 - 1 }, rows: rows, columns: columns)
      }
      func own(_ rows: Int) -> Tensor {
        Base.wordTable.rows(
          at: (0..<batch.count).flatMap { sequence in
            (0..<rows).map { (batch.tokens[Int(batch.offsets[sequence])] + Int32($0)) % 40 }
          })
      }
      try inject(shared, own, injections)
    }
  }

  private static func model(
    causal: Bool = true, _ inject: Injecting.Inject? = nil
  ) throws -> (Model, ScoringTransformer) {
    let model = Model.forTesting()
    var base: ScoringTransformer?
    try model.setBase(
      ComponentIdentity(component: "base model tiny", owner: "base"),
      checkpoint: TinyTransformer.checkpoint(seed: 7), tokenize: { _ in [] }, frequentTokens: { _ in [] }
    ) { _ in
      let made = try ScoringTransformer(causal: causal)
      base = made
      return made
    }
    if let inject { try model.useTwinAdapter { Injecting(inject) } }
    return (model, try #require(base))
  }

  private static let prompts: [[Int32]] = [[5, 9, 2, 30, 11], [7], [1, 38, 6]]

  /// Goes on with prompts by given tokens, and compares each step with a pass over the whole text.
  private static func compare(
    _ model: Model, _ prompts: [[Int32]] = prompts, marks: [Int32] = []
  ) throws {
    let decoding = try Decoding(model)
    // Those of a second call find what all texts share already computed.
    for prompts in [prompts, [[3, 3], [20, 4]], [[8, 1, 9, 9]]] as [[[Int32]]] {
      var tokens = prompts
      var (texts, scores) = try decoding.begin(prompts.map { .init(tokens: $0, marks: marks) })
      for step in 0..<6 {
        for (index, tokens) in tokens.enumerated() {
          let batch = PackedBatch([.init(tokens: tokens, marks: marks)], training: false)
          let expected = try model.vocabularyScores(batch).suffix(TinyTransformer.vocabularySize)
          let difference = zip(scores[index], expected).map { abs($0 - $1) }.max() ?? .infinity
          #expect(difference < 1e-5, "step \(step) of text \(index)")
        }
        // One text leaves the batch on the way.
        if step == 3, texts.count > 1 {
          texts.remove(at: 0)
          tokens.remove(at: 0)
        }
        let next = texts.indices.map { Int32((step * 13 + $0 * 5) % 40) }
        scores = try decoding.extend(zip(texts, next).map { (text: $0, token: $1) })
        for index in tokens.indices { tokens[index].append(next[index]) }
      }
    }
  }

  @Test("without an adapter")
  func plain() throws { try Self.compare(Self.model().0) }

  @Test("with rows at the input, of all sequences and of each, at the start and after the first token")
  func inputs() throws {
    try Self.compare(
      Self.model { shared, own, injections in
        try injections.input(shared(3), at: .start)
        try injections.input(own(2), at: .start, perSequence: true)
        try injections.input(shared(1), at: .afterFirst)
        try injections.input(own(2), at: .afterFirst, perSequence: true)
        try injections.input(shared(2), at: .start)
      }.0)
  }

  @Test(
    "with rows in a template", arguments: [[0, 0], [0, 1], [1, 1]] as [[Int32]])
  func templates(_ marks: [Int32]) throws {
    try Self.compare(
      Self.model { shared, _, injections in try injections.input(shared(2), at: .template) }.0,
      [[5, 9, 2], [7, 7]], marks: marks)
  }

  @Test("with keys and values and hidden rows at some layers, of all sequences and of each")
  func prefixes() throws {
    try Self.compare(
      Self.model { shared, own, injections in
        try injections.keyValuePrefix(keys: shared(3), values: shared(3), layer: 0)
        try injections.hiddenPrefix(own(2), layer: 0, perSequence: true)
        try injections.hiddenPrefix(shared(2), layer: 1)
        try injections.keyValuePrefix(keys: own(1), values: own(1), layer: 1, perSequence: true)
        try injections.keyValuePrefix(keys: own(2), values: own(2), layer: 1, perSequence: true)
        try injections.input(shared(2), at: .start)
        try injections.startPositions(at: 4)
      }.0)
  }

  @Test("a prompt that all texts share is computed once, and a step computes a row a text")
  func once() throws {
    let (model, base) = try Self.model { shared, _, injections in
      try injections.input(shared(4), at: .start)
    }
    let decoding = try Decoding(model)
    let (first, _) = try decoding.begin(Self.prompts.map { .init(tokens: $0) })
    _ = try decoding.extend(first.map { ($0, 3) })
    let (second, _) = try decoding.begin([.init(tokens: [1, 2])])
    _ = try decoding.extend((second + first.dropFirst()).map { ($0, 3) })
    #expect(base.rows == [4 + 9, 3, 2, 3])
    #expect(second[0].position == 4 + 3)
  }

  @Test("memory grows in chunks and goes with the text")
  func memory() throws {
    let decoding = try Decoding(Self.model().0)
    let chunk = TinyTransformer.layerCount * 2 * KeyValueCache.chunk * TinyTransformer.hiddenSize * 4
    weak var cache: KeyValueCache?
    do {
      let (texts, _) = try decoding.begin([.init(tokens: [1, 2, 3])])
      cache = texts[0].cache
      #expect(texts[0].cacheBytes == chunk)
      for _ in 0..<60 { _ = try decoding.extend([(texts[0], 5)]) }
      #expect(texts[0].cacheBytes == chunk)
    }
    #expect(cache == nil)
    let rows = [Float](repeating: 1, count: 150 * 2)
    let small = KeyValueCache(layers: 1, columns: 2)
    let places = [Int32](repeating: 0, count: 150)[...]
    let injected = [UInt8](repeating: 0, count: 150)[...]
    for _ in 0..<2 {
      small.append(layer: 0, rows: 150, keys: rows, values: rows, places: places, injected: injected)
    }
    #expect(small.layers[0].map(\.capacity) == [192, 128])
    #expect(small.layers[0].map(\.count) == [192, 108])
  }

  @Test("what cannot be gone on with is refused")
  func refusals() throws {
    func reason(_ body: () throws -> Void) -> String {
      (#expect(throws: EngineFailure.self) { try body() })?.reason ?? ""
    }
    #expect(reason { _ = try Decoding(Self.model(causal: false).0) }.hasPrefix("it is not a causal model"))
    for (placement, name) in [(Placement.middle, "middle"), (.end, "end")] {
      let (model, _) = try Self.model { shared, _, injections in
        try injections.input(shared(1), at: placement)
      }
      let why = reason { _ = try Decoding(model).begin([.init(tokens: [1])]) }
      #expect(why.contains(name))
    }
    let (model, _) = try Self.model()
    let decoding = try Decoding(model)
    #expect(
      reason { _ = try decoding.begin([.init(tokens: Array(repeating: 1, count: 65))]) }
        .hasPrefix("a sequence of 65 positions"))
    let (texts, _) = try decoding.begin([.init(tokens: Array(repeating: 1, count: 64))])
    #expect(reason { _ = try decoding.extend([(texts[0], 1)]) }.hasPrefix("a sequence of 65 positions"))
  }
}
