import Foundation
import PTuneComposition
import PTuneFormats
import PTuneRunFile
import TestSupport
import Testing

@testable import PTuneAdapters

@Suite("A pooler that only the adapter has") struct PEFTPoolerTests {
  /// A checkpoint without the pooling layer, and an adapter that trains one in its place.
  private func trained(_ tiny: TinyRun) throws -> AdapterRun {
    let source = "\(Workbench.fixtures)/tiny-bert-classifier"
    try FileManager.default.copyItem(atPath: source, toPath: tiny.path("base"))
    let file = try SafetensorsFile("\(source)/model.safetensors")
    try SafetensorsWriter.write(
      try file.names.filter { !$0.contains("pooler") }.map {
        TensorData(name: $0, shape: try #require(file.tensor($0)).shape, floats: try file.floats($0).array)
      }, metadata: ["format": "pt"], to: tiny.path("base/model.safetensors"))
    let spec = try tiny.spec(
      adapter: "{plugin: prefix-tuning, virtual_tokens: 2, form: key-value}",
      [
        "base.model=\(tiny.path("base"))", "training.max_steps=3", "tasks.tone.head.pooling=first",
        "tasks.tone.head.hidden_layers=1", "tasks.tone.head.activation=tanh",
      ])
    return try tiny.load(try tiny.train(spec).result)
  }

  @Test("it is written where transformers looks for it, and read from there")
  func bothWays() throws {
    let tiny = try TinyRun()
    let own = try trained(tiny)
    let config = try JSONValue.read("\(own.folder.path)/adapter_config.json")
    #expect(config["peft_type"] == "PREFIX_TUNING")
    #expect(config["modules_to_save"] == ["classifier", "score", "pooler"])
    let names = try SafetensorsFile("\(own.folder.path)/adapter_model.safetensors").names
    #expect(names.contains("base_model.bert.pooler.dense.weight"))
    // Without what ptune adds, it is PEFT's alone.
    var members = try #require(config.objectValue as JSONObject?)
    members["auto_mapping"] = .null
    try FileManager.default.copyItem(atPath: own.folder.path, toPath: tiny.path("peft"))
    try tiny.write("peft/adapter_config.json", JSONValue.object(members).text(.sorted))
    let foreign = try Workbench.peftRun(tiny.path("peft"), base: tiny.path("base"))
    let scores = try [own, foreign].map {
      try Predictor($0, task: nil, data: $0.folder.tasks.map(\.data)).predict("a good film", pair: nil).scores
    }
    #expect(scores[0] == scores[1])
  }
}
