import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

/// What a base model can ask and say while it is created: `ptune.input/1` and `ptune.checkpoint/2`.
@Suite("Creating a base model") struct BaseModelInterfaceTests {
  /// A base model that only looks words up, and does what the test says while it is created.
  private final class Looking: BaseModel {
    let facts = BaseFacts(
      hiddenSize: 2, layers: 1, keyValueSize: 2, attentionHeads: 1, vocabularySize: 3, causal: false)
    let wordTable: Tensor

    init(_ body: () throws -> Void) throws {
      wordTable = try Checkpoint.weight("words", rows: 3, columns: 2)
      try body()
    }

    func forward(_ forward: Forward) throws -> Tensor { forward.inputRows(from: wordTable) }
  }

  private static func model(
    _ configuration: [String: ConfigurationValue] = [:], weights: [(String, [Int], [Float])] = [],
    _ body: @escaping () throws -> Void
  ) throws -> (model: Model, warnings: [String]) {
    let checkpoint = MemoryCheckpoint(configuration: configuration)
    checkpoint.add("words", shape: [3, 2], [1, 2, 3, 4, 5, 6])
    for (name, shape, values) in weights { checkpoint.add(name, shape: shape, values) }
    let model = Model.forTesting()
    var warnings: [String] = []
    model.session.log = { level, message in if level == 2 { warnings.append(message) } }
    defer { model.session.log = { _, _ in } }
    try model.setBase(
      ComponentIdentity(component: "base model looking", owner: "base"), checkpoint: checkpoint,
      tokenize: { _ in [] }, frequentTokens: { _ in [] }
    ) { _ in try Looking(body) }
    return (model, warnings)
  }

  private static func reason(_ body: () throws -> Void) -> String {
    (#expect(throws: EngineFailure.self) { try body() })?.reason ?? ""
  }

  @Test("a scale multiplies words where they enter and where adapters read them, but no injected row")
  func scaledWords() throws {
    let (model, _) = try Self.model { try Input.scaleWords(by: 3) }
    var read: [Float] = []
    try model.useTwinAdapter {
      read = try Base.wordRows([2, 0])
      return try TwinAdapter(parameters: []) { _, _, injections in
        try injections.input(.constant([10, 20], rows: 1, columns: 2), at: .afterFirst)
      }
    }
    #expect(read == [15, 18, 3, 6])
    let rows = try model.session.scoped {
      let batch = PackedBatch([.init(tokens: [1, 2]), .init(tokens: [1])], training: false)
      let pass = ForwardPass(batch: batch, injections: try model.inject(batch), causal: false)
      return try model.run(pass).values()
    }
    #expect(rows == [9, 12, 10, 20, 15, 18, 9, 12, 10, 20])
    #expect(try model.nearestTokens(to: [[5, 6]], in: .input, count: 1).near[0][0].id == 2)
  }

  @Test("a scale of nothing is refused")
  func wrongScale() {
    #expect(Self.reason { _ = try Self.model { try Input.scaleWords(by: 0) } }.contains("a scale of 0.0"))
  }

  @Test("lists, their elements and the members of objects are read by their keys")
  func lists() throws {
    _ = try Self.model([
      "layer_types": .list(count: 2), "layer_types.0": .string("full"), "layer_types.1": .string("local"),
      "sizes": .list(count: 1), "sizes.0": .integer(7), "factors": .list(count: 1), "factors.0": .number(0.5),
      "rope": .object(members: ["full", "local"]), "rope.local": .object(members: ["theta"]),
      "rope.local.theta": .number(10),
    ]) {
      let (texts, integers) = (try Checkpoint.strings("layer_types"), try Checkpoint.integers("sizes"))
      #expect(texts == ["full", "local"])
      #expect(integers == [7])
      let (numbers, absent) = (try Checkpoint.numbers("factors"), try Checkpoint.strings("nothing"))
      #expect(numbers == [0.5])
      #expect(absent == nil)
      let (members, theta) = (
        try Checkpoint.members(of: "rope"), try Checkpoint.number("rope.local.theta")
      )
      #expect(members == ["full", "local"])
      #expect(theta == 10)
    }
    let wrong = Self.reason {
      _ = try Self.model(["size": .integer(1)]) { _ = try Checkpoint.strings("size") }
    }
    #expect(wrong == "config.json: 'size' should be a list or an object")
    let element = Self.reason {
      _ = try Self.model(["sizes": .list(count: 1), "sizes.0": .string("a")]) {
        _ = try Checkpoint.integers("sizes")
      }
    }
    #expect(element == "config.json: 'sizes.0' should be a whole number")
  }

  @Test("slices of a tensor of three dimensions are matrices of their own, transposed or not")
  func slices() throws {
    let values = (0..<12).map { Float($0) }
    _ = try Self.model(weights: [("experts", [2, 2, 3], values)]) {
      let plain = try Checkpoint.slice(1, of: "experts", slices: 2, rows: 2, columns: 3)
      let turned = try Checkpoint.slice(0, of: "experts", slices: 2, rows: 3, columns: 2, transposed: true)
      let product = Tensor.constant([1, 0, 0], rows: 1, columns: 3).linear(plain)
      let read = (try plain.values(), try turned.values(), try product.values())
      #expect(read.0 == [6, 7, 8, 9, 10, 11])
      #expect(read.1 == [0, 3, 1, 4, 2, 5])
      #expect(read.2 == [6, 9])
    }
    for (slices, index, reason) in [
      (3, 0, "tensor 'experts' of the checkpoint has the shape [2, 2, 3], not [3, 2, 3] as config.json says"),
      (2, 2, "slice 2 of tensor 'experts', which has 2"),
    ] {
      let why = Self.reason {
        _ = try Self.model(weights: [("experts", [2, 2, 3], values)]) {
          _ = try Checkpoint.slice(index, of: "experts", slices: slices, rows: 2, columns: 3)
        }
      }
      #expect(why == reason)
    }
    let missing = Self.reason {
      _ = try Self.model { _ = try Checkpoint.slice(0, of: "gone", slices: 1, rows: 1, columns: 1) }
    }
    #expect(missing == "the checkpoint has no tensor 'gone', which this base model needs")
  }

  @Test("keys that were neither read nor named are warned of, if the base model says what it knows")
  func unknownKeys() throws {
    let configuration: [String: ConfigurationValue] = [
      "model_type": .string("looking"), "_private": .integer(1), "read": .integer(1), "absorbed": .integer(2),
      "list": .list(count: 1), "list.0": .integer(1), "object.a": .integer(1), "object.b": .integer(2),
      "other.a": .integer(1), "other.b": .integer(1), "strange": .boolean(true),
    ]
    let silent = try Self.model(configuration) {}
    #expect(silent.warnings.isEmpty)
    let told = try Self.model(configuration.filter { $0.key != "list.0" }) {
      _ = try Checkpoint.integer("read")
      _ = try Checkpoint.size(of: "list")
      _ = try Checkpoint.integer("other.b")
      try Checkpoint.understand(["absorbed", "object"])
    }
    #expect(
      told.warnings == [
        "config.json: base model looking does not know 'other.a', 'strange'; if this changes what the model computes, "
          + "its results here are not those of the original"
      ])
  }

  @Test("positions without a limit stay without one across the interface")
  func unlimitedPositions() {
    var facts = BaseFacts(
      hiddenSize: 1, layers: 1, keyValueSize: 1, attentionHeads: 1, vocabularySize: 1, causal: true
    ).raw
    facts.positions = -1  // SIZE_MAX, as C writes it
    #expect(BaseFacts(facts).positions == .max)
  }
}
