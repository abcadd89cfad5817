import Foundation
import PTuneComposition
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneEngine

@Suite("Checkpoints that tie their output to the word embeddings") struct TiedWeightsTests {
  private typealias Values = (shape: [Int], values: [Float])

  private static let batch = PackedBatch(
    [PackedBatch.Sequence(tokens: [5, 9, 7]), PackedBatch.Sequence(tokens: [11, 6])], training: false)

  /// A model of a copy of a checkpoint whose tensors, and whose config.json, are others.
  private func model(
    _ checkpoint: String, config members: JSONObject,
    _ change: (_ tensors: inout [String: Values]) throws -> Void
  ) throws -> Model {
    let tiny = try TinyRun(rows: 1)
    let source = "\(Workbench.fixtures)/\(checkpoint)"
    try FileManager.default.copyItem(atPath: source, toPath: tiny.path("model"))
    let file = try SafetensorsFile("\(source)/model.safetensors")
    var tensors: [String: Values] = [:]
    for name in file.names {
      tensors[name] = (try #require(file.tensor(name)).shape, try file.floats(name).array)
    }
    try change(&tensors)
    try SafetensorsWriter.write(
      tensors.map { TensorData(name: $0.key, shape: $0.value.shape, floats: $0.value.values) },
      metadata: ["format": "pt"], to: tiny.path("model/model.safetensors"))
    var config = try #require(try JSONValue.read("\(source)/config.json").objectValue as JSONObject?)
    for (key, value) in members { config[key] = value }
    try tiny.write("model/config.json", JSONValue.object(config).text())
    return try Workbench.base(checkpoint: tiny.path("model"))
  }

  @Test(
    "the table may stand under either name, under both, or be another one",
    arguments: [
      ("tiny-gpt2", "transformer.wte.weight", "lm_head.weight"),
      ("tiny-qwen2", "embed_tokens.weight", "lm_head.weight"),
      ("tiny-bert-mlm", "bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"),
    ])
  func names(checkpoint: String, table: String, output: String) throws {
    let tied: JSONObject = ["tie_word_embeddings": true]
    func scores(_ model: Model) throws -> [Float] { try model.vocabularyScores(Self.batch) }
    let plain = try model(checkpoint, config: tied) { $0[output] = nil }
    let expected = try scores(plain)
    let outputAlone = try model(checkpoint, config: tied) {
      $0[output] = $0[table]
      $0[table] = nil
    }
    #expect(try scores(outputAlone) == expected)
    let both = try model(checkpoint, config: tied) { $0[output] = $0[table] }
    #expect(try scores(both) == expected)
    // One copy of both is enough.
    #expect(both.session.weights.count == plain.session.weights.count)

    func doubled(_ tensors: inout [String: Values]) throws {
      let own = try #require(tensors[table])
      tensors[output] = (own.shape, own.values.map { 2 * $0 + 1 })
    }
    let other = try scores(try model(checkpoint, config: tied, doubled))
    #expect(try other == scores(model(checkpoint, config: ["tie_word_embeddings": false], doubled)))
    #expect(other != expected)
  }
}
