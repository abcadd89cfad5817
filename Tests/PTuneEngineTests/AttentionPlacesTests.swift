import CPTune
import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

/// A term of each kind, as a small model would have it.
enum TwinTerms: String, CaseIterable, Sendable {
  case scale, softCap, windowKeeping, windowLeaving, alibi, relativeBias, disentangled, sinks, everything

  /// The terms, made in a forward pass.
  var terms: [AttentionTerm] {
    func table(_ columns: Int, _ seed: Int) -> RelativeTable {
      let values = (0..<9 * columns).map { Float(($0 * 7 + seed) % 11) / 8 - 0.6 }
      let table = Tensor.constant(values, rows: 9, columns: columns)
      return RelativeTable(table, distances: -4...4) { $0 + 4 }
    }
    let (heads, columns) = (TinyTransformer.heads, TinyTransformer.hiddenSize)
    return switch self {
    case .scale: [.scale(0.6)]
    case .softCap: [.softCap(0.7)]
    case .windowKeeping: [.window(left: 2, right: 1, keepsInjected: true)]
    case .windowLeaving: [.window(left: 6, right: 1, keepsInjected: false)]
    case .alibi: [.alibi([0.5, 0.125])]
    case .relativeBias: [.relativeBias(table(heads, 1))]
    case .disentangled: [.contentToPosition(table(columns, 2)), .positionToContent(table(columns, 3))]
    case .sinks: [.sinks(.constant([0.4, -0.3], rows: 1, columns: heads))]
    case .everything:
      [
        .sinks(.constant([0.4, -0.3], rows: 1, columns: heads)), .scale(0.5), .softCap(1.5),
        .alibi([0.25, 0.125]), .window(left: 3, right: 2, keepsInjected: true),
        .relativeBias(table(heads, 1)), .contentToPosition(table(columns, 2)),
        .positionToContent(table(columns, 3)),
      ]
    }
  }
}

@Suite("Where injected keys stand") struct AttentionPlacesTests {
  private static func model(
    _ terms: TwinTerms, causal: Bool, positions: Bool = true, _ adapter: (() throws -> any Adapter)? = nil
  ) throws -> Model {
    let model = Model.forTesting()
    try model.useTwinBase {
      try TinyTransformer(causal: causal, positions: positions) { _ in terms.terms }
    }
    if let adapter { try model.useTwinAdapter(adapter) }
    return model
  }

  private static func prompt(_ rows: [Float], _ count: Int) -> Tensor {
    .constant(rows, rows: count, columns: TinyTransformer.hiddenSize)
  }

  @Test(
    "keys and values of tokens in front of a text do what the tokens do", arguments: TwinTerms.allCases)
  func hardPrompts(_ terms: TwinTerms) throws {
    // What keeps injected keys inside the window treats them otherwise than tokens.
    if terms == .windowKeeping || terms == .everything { return }
    let (front, text): ([Int32], [Int32]) = ([7, 3, 30], [5, 9, 2, 11, 8, 1])
    let columns = TinyTransformer.hiddenSize
    let expected = try Self.model(terms, causal: true).hiddenRows(
      PackedBatch([.init(tokens: front + text)], training: false)
    ).values.dropFirst(front.count * columns)
    for isMoved in [true, false] {
      // Without learnt positions only distances count, so that the text may as well stay at position 0.
      let model = try Self.model(terms, causal: true, positions: isMoved) {
        try TwinAdapter(parameters: []) { _, _, injections in
          for layer in 0..<TinyTransformer.layerCount {
            try injections.keyValuePrefix(
              keys: Self.prompt(try Base.layerRows(front, layer: layer, .keys), front.count),
              values: Self.prompt(try Base.layerRows(front, layer: layer, .values), front.count),
              layer: layer)
          }
          if isMoved { try injections.startPositions(at: front.count) }
        }
      }
      let moved = try model.hiddenRows(PackedBatch([.init(tokens: text)], training: false)).values
      let whole =
        isMoved
        ? Array(expected)
        : Array(
          try Self.model(terms, causal: true, positions: false).hiddenRows(
            PackedBatch([.init(tokens: front + text)], training: false)
          ).values.dropFirst(front.count * columns))
      #expect(relativeDifference(moved, whole) < 1e-5, "moved: \(isMoved)")
    }
  }

  @Test(
    "gradients come back right through prompts and prefixes, shared and of each sequence",
    arguments: TwinTerms.allCases, [false, true])
  func gradients(_ terms: TwinTerms, causal: Bool) throws {
    let model = try Self.model(terms, causal: causal) {
      try TwinAdapter(parameters: [[2, 16], [6, 16], [2, 16], [2, 16], [3, 16]]) { values, _, injections in
        try injections.input(values[0], at: causal ? .start : .afterFirst)
        try injections.hiddenPrefix(values[1], layer: 0, perSequence: true)
        try injections.keyValuePrefix(keys: values[2], values: values[3], layer: 0)
        try injections.hiddenPrefix(values[4], layer: 1)
      }
    }
    try model.useTwinHead()
    let report = try GradientCheck().run(model, on: .forTesting(lengths: [5, 1, 7]))
    #expect(report.passes, "\(report)")
    #expect(report.entries.allSatisfy { $0.norm > 0 }, "\(report)")
  }

  @Test(
    "kept keys and values give what computing everything anew gives", arguments: TwinTerms.allCases)
  func generation(_ terms: TwinTerms) throws {
    let model = try Self.model(terms, causal: true) {
      try TwinAdapter(parameters: [[2, 16], [2, 16], [3, 16], [2, 16]]) { values, batch, injections in
        // Rows of each sequence do not change as its text grows.
        func own(_ rows: Tensor, _ count: Int) -> Tensor {
          rows.rows(
            at: (0..<batch.count).flatMap { sequence in
              (0..<count).map { (batch.tokens[Int(batch.offsets[sequence])] + Int32($0)) % 2 }
            })
        }
        try injections.keyValuePrefix(keys: values[0], values: values[1], layer: 0)
        try injections.hiddenPrefix(own(values[0], 2), layer: 0, perSequence: true)
        try injections.hiddenPrefix(values[2], layer: 1)
        try injections.keyValuePrefix(
          keys: own(values[0], 1), values: own(values[1], 1), layer: 1, perSequence: true)
        try injections.input(values[3], at: .start)
      }
    }
    let decoding = try Decoding(model)
    for prompts in [[[5, 9, 2, 30, 11], [7]], [[8, 1, 9]]] as [[[Int32]]] {
      var tokens = prompts
      var (texts, scores) = try decoding.begin(prompts.map { .init(tokens: $0) })
      for step in 0..<8 {
        for (index, tokens) in tokens.enumerated() {
          let batch = PackedBatch([.init(tokens: tokens)], training: false)
          let expected = try model.vocabularyScores(batch).suffix(TinyTransformer.vocabularySize)
          #expect(relativeDifference(scores[index], Array(expected)) < 1e-5, "step \(step), text \(index)")
        }
        let next = texts.indices.map { Int32((step * 13 + $0 * 5) % 40) }
        scores = try decoding.extend(zip(texts, next).map { (text: $0, token: $1) })
        for index in tokens.indices { tokens[index].append(next[index]) }
      }
      texts = []
    }
  }

  @Test(
    "a sequence's rows do not depend on the others in its batch", arguments: TwinTerms.allCases,
    [false, true])
  func packing(_ terms: TwinTerms, causal: Bool) throws {
    let model = try Self.model(terms, causal: causal) {
      try TwinAdapter.prompt(rows: 3, at: causal ? .start : .afterFirst)
    }
    let batch = PackedBatch.forTesting(lengths: [5, 1, 9, 61], training: false)
    func textRows(_ batch: PackedBatch) throws -> [[Float]] {
      let (values, rows) = try model.hiddenRows(batch)
      return rows.map { Array(values[Int($0) * 16..<(Int($0) + 1) * 16]) }
    }
    let together = try textRows(batch)
    for sequence in 0..<batch.count {
      let own = Int(batch.offsets[sequence])..<Int(batch.offsets[sequence + 1])
      let alone = try textRows(PackedBatch([.init(tokens: Array(batch.tokens[own]))], training: false))
      #expect(
        relativeDifference(together[own].flatMap { $0 }, alone.flatMap { $0 }) < 1e-5, "sequence \(sequence)")
    }
  }

  @Test("layers computed again for the gradient give the same bits", arguments: TwinTerms.allCases)
  func recomputation(_ terms: TwinTerms) throws {
    func gradients(recomputing: Bool) throws -> [[UInt32]] {
      let model = try Self.model(terms, causal: true) { try TwinAdapter.prompt(rows: 3, at: .start) }
      try model.useTwinHead()
      model.recomputesLayers = recomputing
      _ = try model.differentiate(.forTesting())
      return model.parameters.map { parameter in
        (0..<parameter.count).map { parameter.gradients[$0].bitPattern }
      }
    }
    #expect(try gradients(recomputing: true) == gradients(recomputing: false))
  }

  @Test("a prefix inside every window gets attention from far tokens, one that stays behind gets none")
  func inspection() throws {
    func shares(_ terms: TwinTerms) throws -> [Double] {
      let model = try Self.model(terms, causal: true) {
        try TwinAdapter(parameters: [[2, 16], [2, 16]]) { values, _, injections in
          try injections.keyValuePrefix(keys: values[0], values: values[1], layer: 1)
        }
      }
      let batch = PackedBatch([.init(tokens: [4, 5, 6, 7, 8, 9, 10, 11])], training: false)
      return try model.attentionToPrompt(batch)[1].tokens
    }
    #expect(try shares(.windowKeeping).allSatisfy { $0 > 0.05 })
    let leaving = try shares(.windowLeaving)
    // The nearer of the two rows is seven places before token 6.
    #expect(leaving[..<6].allSatisfy { $0 > 0 })
    #expect(leaving[6...] == [0, 0])
    // With sinks the shares of keys are less than all of it.
    #expect(try zip(shares(.sinks), shares(.scale)).allSatisfy { $0 < 1 && $1 < 1 && $0 > 0 })
  }
}

@Suite("Terms that cannot be") struct AttentionTermFailureTests {
  private static func table(_ rows: Int, _ columns: Int) -> Tensor {
    .constant(Array(repeating: 0, count: rows * columns), rows: rows, columns: columns)
  }

  private static let wrong: [(terms: @Sendable () -> [AttentionTerm], reason: String)] = [
    ({ [.scale(.nan)] }, "layer 0: a scale of nan"),
    ({ [.softCap(0)] }, "layer 0: a soft cap of 0.0; it has to be above 0"),
    ({ [.scale(1), .scale(2)] }, "layer 0: two terms of the kind 1"),
    ({ [.alibi([.infinity, 0])] }, "layer 0: slopes that are no numbers"),
    ({ [.sinks(table(1, 3))] }, "layer 0: sinks [1, 3] for 2 heads"),
    (
      { [.relativeBias(RelativeTable(table(4, 2), buckets: [0, 4], first: 0))] },
      "layer 0: a relative bias: bucket 4 of a table [4, 2]"
    ),
    (
      { [.contentToPosition(RelativeTable(table(4, 2), buckets: [0], first: 0))] },
      "layer 0: content to position: a table [4, 2] of 16 columns for 1 distances from 0"
    ),
    (
      { [.positionToContent(RelativeTable(table(4, 16), buckets: [], first: 0))] },
      "layer 0: position to content: a table [4, 16] of 16 columns for 0 distances from 0"
    ),
  ]

  @Test("are refused with the layer and what is wrong", arguments: wrong.indices)
  func refused(_ index: Int) throws {
    let model = Model.forTesting()
    try model.useTwinBase { try TinyTransformer(causal: false) { _ in Self.wrong[index].terms() } }
    let failure = #expect(throws: EngineFailure.self) {
      _ = try model.hiddenRows(PackedBatch([.init(tokens: [1, 2])], training: false))
    }
    #expect(failure?.reason.contains(Self.wrong[index].reason) == true, "\(failure?.reason ?? "")")
  }

  @Test("of a kind that this ptune does not know say that a newer one is needed")
  func unknown() throws {
    final class Unknowing: BaseModel {
      let inner: TinyTransformer
      var facts: BaseFacts { inner.facts }
      var wordTable: Tensor { inner.wordTable }
      init() throws { inner = try TinyTransformer(causal: false) }
      func forward(_ forward: Forward) throws -> Tensor {
        let x = forward.inputRows(from: wordTable)
        let rows = forward.keyRows(layer: 0, x)
        var value: Float = 1
        return withUnsafePointer(to: &value) { value in
          let term = ptune_attention_term_v1(kind: 99, value: value)
          return withUnsafePointer(to: term) {
            Tensor(
              handle: Host.tables.attention?.pointee.attend(
                forward.handle, 0, x.handle, rows.handle, rows.handle, 2, 2, $0, 1))
          }
        }
      }
    }
    let model = Model.forTesting()
    try model.useTwinBase { try Unknowing() }
    let failure = #expect(throws: EngineFailure.self) {
      _ = try model.hiddenRows(PackedBatch([.init(tokens: [1, 2])], training: false))
    }
    #expect(failure?.reason.contains("the kind 99, which this ptune does not know; use a newer one") == true)
  }

  @Test("positions of key rows are those of hidden prefixes and then of the text")
  func keyPositions() throws {
    final class Reading: BaseModel {
      let inner: TinyTransformer
      var facts: BaseFacts { inner.facts }
      var wordTable: Tensor { inner.wordTable }
      nonisolated(unsafe) static var seen: [Int32] = []
      init() throws { inner = try TinyTransformer(causal: false) }
      func forward(_ forward: Forward) throws -> Tensor {
        let x = forward.inputRows(from: wordTable)
        _ = forward.keyRows(layer: 0, x)
        Self.seen = Array(forward.keyPositions(layer: 0))
        return try inner.forward(forward)
      }
    }
    let model = Model.forTesting()
    try model.useTwinBase { try Reading() }
    try model.useTwinAdapter {
      try TwinAdapter(parameters: [[2, 16]]) { values, _, injections in
        try injections.hiddenPrefix(values[0], layer: 0)
        try injections.startPositions(at: 4)
      }
    }
    _ = try model.hiddenRows(PackedBatch([.init(tokens: [1, 2, 3])], training: false))
    #expect(Reading.seen == [0, 1, 4, 5, 6])
  }
}
