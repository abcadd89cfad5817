import PTune
import PTuneTesting
import Testing

@testable import PTuneEngine

/// What the user reads when a component goes wrong.
@Suite("Failures") struct FailureTests {
  static let identity = ComponentIdentity(
    component: "adapter wrong", plugin: "/plugins/libptune_wrong.so", owner: "adapter")

  /// The whole message of the failure that this adapter causes.
  private func message(
    parameters: [[Int]] = [], _ inject: @escaping ([Tensor], Batch, Injections) throws -> Void
  ) throws -> String {
    let model = Model.forTesting()
    try model.useTwinBase()
    do {
      try model.setAdapter(Self.identity) { _ in try TwinAdapter(parameters: parameters, inject: inject) }
      try model.useTwinHead()
      _ = try model.differentiate(.forTesting())
      return "no failure"
    } catch let failure as EngineFailure {
      return "\(failure)"
    }
  }

  private func filled(_ rows: Int, _ columns: Int) -> Tensor { .filled(1, rows: rows, columns: columns) }

  struct Case: Sendable, CustomTestStringConvertible {
    let message: String
    let inject: @Sendable (Injections) throws -> Void
    var testDescription: String { message }
    init(_ message: String, _ inject: @escaping @Sendable (Injections) throws -> Void) {
      (self.message, self.inject) = (message, inject)
    }
  }

  private static func ones(_ rows: Int, _ columns: Int) -> Tensor { .filled(1, rows: rows, columns: columns) }

  @Test(
    "shapes that do not fit are named, with the operator, the component and its file",
    arguments: [
      Case("binary: add of [2, 3] and [4, 5]") { try $0.addLoss(ones(2, 3) + ones(4, 5)) },
      Case("matmul: [2, 3] times [2, 3]") { try $0.addLoss(ones(2, 3).matmul(ones(2, 3))) },
      Case("matmul: [2, 3]ᵀ times [3, 4]") {
        try $0.addLoss(ones(2, 3).matmul(ones(3, 4), transposed: true))
      },
      Case("linear: input [2, 3] with weight [4, 5]") { try $0.addLoss(ones(2, 3).linear(ones(4, 5))) },
      Case("layer_norm: input [2, 3] with a vector [1, 4]") {
        try $0.addLoss(ones(2, 3).layerNorm(gain: ones(1, 4), bias: ones(1, 3), epsilon: 0))
      },
      Case("gather_rows: row 2 of [2, 3]") { try $0.addLoss(ones(2, 3).rows(at: [0, 2])) },
      Case("gather_rows: row -1 of [2, 3]") { try $0.addLoss(ones(2, 3).rows(at: [-1])) },
      Case("assemble_rows: rows of 3 and of 4 columns") {
        try $0.addLoss(.concatenatingRows([ones(2, 3), ones(2, 4)]))
      },
      Case("concatenate_columns: columns of [2, 3], [3, 3]") {
        try $0.addLoss(.concatenatingColumns([ones(2, 3), ones(3, 3)]))
      },
      Case("slice_columns: 2 columns from 2 of [2, 3]") { try $0.addLoss(ones(2, 3).columns(2..<4)) },
      Case("reshape: [2, 3] to [2, 4]") { try $0.addLoss(ones(2, 3).reshaped(rows: 2, columns: 4)) },
      Case("matmul: [2000000, 2000000] is too large") {
        try $0.addLoss(ones(2_000_000, 1).matmul(ones(1, 2_000_000)))
      },
      Case("dropout: probability 1.0 is not in [0, 1)") { try $0.addLoss(ones(2, 3).dropout(1)) },
      Case("injection of input: rows [2, 3] for a hidden size of 16") {
        try $0.input(ones(2, 3), at: .start)
      },
      Case("injection of input: 4 rows for 3 sequences") {
        try $0.input(ones(4, 16), at: .start, perSequence: true)
      },
      Case("injection of hidden_prefix: layer 2 of 2") { try $0.hiddenPrefix(ones(1, 16), layer: 2) },
      Case("injection of hidden_prefix: layer -1 of 2") { try $0.hiddenPrefix(ones(1, 16), layer: -1) },
      Case("injection of key_value_prefix: keys [1, 16] and values [2, 16] for 16 columns") {
        try $0.keyValuePrefix(keys: ones(1, 16), values: ones(2, 16), layer: 0)
      },
      Case("injection of first_position: position 65 of 64") { try $0.startPositions(at: 65) },
      Case("injection of loss: a loss of the shape [2, 3]") { try $0.addLoss(ones(2, 3)) },
      Case("layer_rows: layer 2 of a base model of 2") { _ in try _ = Base.layerRows([1], layer: 2, .keys) },
      Case("layer_rows: token 40 is not in the base model's vocabulary of 40") { _ in
        try _ = Base.layerRows([1, 40], layer: 0, .input)
      },
      Case("layer_rows: 65 tokens for a base model of 64 positions; use fewer virtual tokens") { _ in
        try _ = Base.layerRows(Array(repeating: 1, count: 65), layer: 0, .values)
      },
      Case("the state 'counts' has another number of values than 3") { _ in
        _ = try TrainingState.values("counts", count: 2)
        _ = try TrainingState.values("counts", count: 3)
      },
    ])
  func shapes(_ expected: Case) throws {
    let message = try message { try expected.inject($2) }
    #expect(message == "adapter wrong (/plugins/libptune_wrong.so), inject: \(expected.message)")
  }

  @Test("what follows from a failed tensor fails silently: the first failure is the one reported")
  func stickiness() throws {
    let message = try message { _, _, injections in
      let failed = filled(2, 3) + filled(4, 5)
      #expect(failed.handle == nil)
      #expect(failed.rows == 0 && failed.columns == 0)
      let later = (failed.tanh().matmul(filled(1, 1)) * failed).softmax().sum()
      #expect(later.handle == nil)
      _ = filled(7, 7) - filled(9, 9)
      try injections.addLoss(later)
    }
    #expect(message == "adapter wrong (/plugins/libptune_wrong.so), inject: binary: add of [2, 3] and [4, 5]")
  }

  @Test("a failure is forgotten with the call that it ended: the next step works")
  func recovery() throws {
    let model = Model.forTesting()
    try model.useTwinBase()
    try model.useTwinAdapter {
      try TwinAdapter(parameters: [[2, 16]]) { values, batch, injections in
        try injections.input(batch.count == 1 ? values[0] : values[0].columns(0..<5), at: .start)
      }
    }
    try model.useTwinHead()
    #expect(throws: EngineFailure.self) { try model.loss(.forTesting(lengths: [2, 2])) }
    #expect(try model.loss(.forTesting(lengths: [4])).isFinite)
  }

  @Test("what a component throws is its failure's reason")
  func thrown() throws {
    let reason = try message { _, _, _ in throw ComponentFailure.unsupported("no such thing as a free prompt")
    }
    #expect(reason == "adapter wrong (/plugins/libptune_wrong.so), inject: no such thing as a free prompt")
  }

  @Test("a parameter declared outside create, twice, or of no shape is refused by name")
  func declarations() throws {
    let place = "adapter wrong (/plugins/libptune_wrong.so), "
    #expect(
      try message { _, _, _ in _ = try Parameter("late", shape: [2], initial: .zeros) }
        == place + "inject: parameter 'late' was declared outside create")
    func create(_ body: @escaping () throws -> Void) throws -> String {
      let model = Model.forTesting()
      try model.useTwinBase()
      do {
        try model.setAdapter(Self.identity) { _ in
          try body()
          return try TwinAdapter(parameters: []) { _, _, _ in }
        }
        return "no failure"
      } catch let failure as EngineFailure {
        return "\(failure)"
      }
    }
    #expect(
      try create { for _ in 0..<2 { _ = try Parameter("again", shape: [2], initial: .zeros) } }
        == place + "create: parameter 'again' was declared twice")
    let shapeless = "it needs 1 to 4 dimensions of sensible size"
    #expect(
      try create { _ = try Parameter("none", shape: [2, 0], initial: .zeros) }
        == place + "create: parameter 'none' has the shape [2, 0]; \(shapeless)")
    #expect(
      try create { _ = try Parameter("many", shape: [1, 1, 1, 1, 1], initial: .zeros) }
        == place + "create: parameter 'many' has the shape []; \(shapeless)")
  }

  @Test("a base model that does not ask for key rows is told so, with the layer")
  func forgottenKeyRows() throws {
    let model = Model.forTesting()
    try model.setBase(
      ComponentIdentity(component: "base model wrong", owner: "base"),
      checkpoint: TinyTransformer.checkpoint(seed: 1), tokenize: { _ in [] }, frequentTokens: { _ in [] }
    ) { _ in try WithoutKeyRows() }
    try model.useTwinHead()
    let failure = try #require(throws: EngineFailure.self) { try model.loss(.forTesting()) }
    #expect(
      "\(failure)"
        == "base model wrong, forward: attention: key_rows was not called for layer 1; keys and values are computed "
        + "from its rows")
  }

  @Test("more positions than the base model has are refused, with the way out")
  func tooLong() throws {
    let model = Model.forTesting()
    try model.useTwinBase()
    try model.useTwinAdapter { try TwinAdapter.prompt(rows: 60, at: .start) }
    try model.useTwinHead()
    #expect(try model.loss(.forTesting(lengths: [4])).isFinite)
    let failure = try #require(throws: EngineFailure.self) { try model.loss(.forTesting(lengths: [5])) }
    #expect(
      failure.reason
        == "a sequence of 65 positions, including virtual tokens; the base model has 64. Use fewer virtual tokens or "
        + "a smaller maximum_length")
  }

  @Test("a weight that is missing or has another shape is named")
  func weights() throws {
    func load(_ change: (MemoryCheckpoint) -> Void) throws -> String {
      let model = Model.forTesting()
      let checkpoint = MemoryCheckpoint()
      change(checkpoint)
      let failure = try #require(throws: EngineFailure.self) {
        try model.setBase(
          ComponentIdentity(component: "base model tiny", owner: "base"), checkpoint: checkpoint,
          tokenize: { _ in [] }, frequentTokens: { _ in [] }
        ) { _ in try TinyTransformer(causal: false) }
      }
      return "\(failure)"
    }
    #expect(
      try load { _ in }
        == "base model tiny, create: the checkpoint has no tensor 'words', which this base model needs")
    #expect(
      try load { $0.add("words", shape: [2, 3], Array(repeating: 0, count: 6)) }
        == "base model tiny, create: tensor 'words' of the checkpoint has the shape [2, 3], not [40, 16] as "
        + "config.json says")
  }
}

/// Computes keys and values from the layer's own rows, which no prefix can join.
private final class WithoutKeyRows: BaseModel {
  let facts = BaseFacts(
    hiddenSize: 16, layers: 2, keyValueSize: 16, attentionHeads: 2, vocabularySize: 40, causal: false)
  let wordTable: Tensor

  init() throws { wordTable = try Checkpoint.weight("words", rows: 40, columns: 16) }

  func forward(_ forward: Forward) throws -> Tensor {
    let x = forward.inputRows(from: wordTable)
    return forward.attention(layer: 1, queries: x, keys: x, values: x, heads: 2, keyValueHeads: 2)
  }
}
