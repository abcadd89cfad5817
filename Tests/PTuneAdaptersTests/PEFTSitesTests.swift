import Foundation
import PTuneEngine
import PTuneFormats
import PTuneTesting
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneTraining

/// PEFT's methods that attach to linear layers, beside the folders that PEFT wrote (``PEFTTests``).
@Suite("LORA and IA3 of PEFT") struct PEFTSitesTests {
  private static let batch = PackedBatch.forTesting(lengths: [6, 2, 9], vocabulary: 200, training: false)

  private static func trained(_ tiny: TinyRun, _ adapter: String) throws -> TrainingResult {
    try tiny.train(
      try tiny.spec(
        adapter: adapter,
        [
          "training.max_steps=6", "tasks.tone.head.pooling=first", "tasks.tone.head.base_pooler=true",
          "base.model=\(Workbench.fixtures)/tiny-bert-classifier",
        ])
    ).result
  }

  @Test("what is written is PEFT's, and says the same without what ptune adds to it")
  func written() throws {
    let query = "bert.encoder.layer.0.attention.self.query"
    let down = "bert.encoder.layer.2.output.dense"
    for (adapter, members, tensors) in [
      (
        "{plugin: lora, r: 2, alpha: 3, rslora: true}",
        ["peft_type": "LORA", "r": 2, "lora_alpha": 3, "use_rslora": true, "lora_dropout": 0.0] as JSONObject,
        ["\(query).lora_A.weight", "\(query).lora_B.weight"]
      ),
      (
        "{plugin: ia3, targets: [query, feed-forward-out]}",
        ["peft_type": "IA3", "fan_in_fan_out": false], ["\(query).ia3_l", "\(down).ia3_l"]
      ),
    ] {
      let tiny = try TinyRun()
      let result = try Self.trained(tiny, adapter)
      let own = try tiny.load(result)
      let output = tiny.path("peft")
      let export = try own.exportPEFT(task: nil, to: output)
      let config = try JSONValue.read("\(output)/adapter_config.json")
      for (key, value) in members { #expect(config[key] == value, "\(key)") }
      let targets = config["target_modules"]?.arrayValue?.compactMap(\.stringValue) ?? []
      #expect(targets.contains(query))
      #expect(config["num_virtual_tokens"] == nil)
      let names = export.tensors.map(\.name)
      for name in tensors { #expect(names.contains("base_model.model.\(name)"), "\(name)") }
      #expect(names.contains("base_model.model.classifier.weight"))

      var members = try #require(config.objectValue as JSONObject?)
      members["auto_mapping"] = .null
      try tiny.write("peft/adapter_config.json", JSONValue.object(members).text(.sorted))
      let foreign = try AdapterRun(
        output, baseModel: "\(Workbench.fixtures)/tiny-bert-classifier", threads: 2,
        registry: Workbench.factory().registry
      ) { _, _ in }
      let scores = (
        try own.composition.model.scores(Self.batch).perExample,
        try foreign.composition.model.scores(Self.batch).perExample
      )
      #expect(scores.0 == scores.1)
    }
  }

  private static func leftOut(_ key: String) -> String {
    ".attention.self.query, which '\(key)' leaves out"
  }

  @Test(
    "a layer with tensors that the keys leave out is refused, since PEFT would pass over it",
    arguments: [
      ("layers_to_transform", "[7]"), ("layers_to_transform", "3"), ("exclude_modules", #"["query"]"#),
      ("exclude_modules", #""bert.*query""#), ("target_modules", #"".*value""#),
      ("target_modules", #"["value"]"#),
    ])
  func leftOut(key: String, value: String) throws {
    let tiny = try TinyRun(rows: 1)
    let source = "\(Workbench.fixtures)/peft/bert-seq-lora"
    try FileManager.default.copyItem(atPath: source, toPath: tiny.path("peft"))
    var config = try #require(try JSONValue.read("\(source)/adapter_config.json").objectValue as JSONObject?)
    config[key] = try JSONValue.parse(value)
    try tiny.write("peft/adapter_config.json", JSONValue.object(config).text())
    let error = #expect(throws: PEFTError.self) { try Workbench.peftRun(tiny.path("peft")) }
    #expect(error?.description.contains(Self.leftOut(key)) == true, "\(error?.description ?? "")")
  }

  @Test(
    "a LoRA whose beginning PEFT takes out of the base model's weights is refused, and others are not",
    arguments: [
      "\"pissa\"", "\"pissa_niter_16\"", "\"olora\"", "\"corda\"", "\"loftq\"", "\"lora_ga\"", "3",
    ],
    ["true", "false", "\"gaussian\"", "\"eva\"", "\"orthogonal\"", "\"mica\"", "null"])
  func starts(refused: String, taken: String) throws {
    let tiny = try TinyRun(rows: 1)
    let source = "\(Workbench.fixtures)/peft/bert-seq-lora"
    try FileManager.default.copyItem(atPath: source, toPath: tiny.path("peft"))
    var config = try #require(try JSONValue.read("\(source)/adapter_config.json").objectValue as JSONObject?)
    config["init_lora_weights"] = try JSONValue.parse(refused)
    try tiny.write("peft/adapter_config.json", JSONValue.object(config).text())
    let error = #expect(throws: PEFTError.self) { try Workbench.peftRun(tiny.path("peft")) }
    #expect(
      error?.description
        == "\(tiny.path("peft")) is an adapter of PEFT that ptune does not read: 'init_lora_weights' is \(refused), "
        + "so PEFT changes the base model's weights when it loads it")
    #expect(error?.help?.contains("path_initial_model_for_weight_conversion") == true)
    config["init_lora_weights"] = try JSONValue.parse(taken)
    try tiny.write("peft/adapter_config.json", JSONValue.object(config).text())
    _ = try Workbench.peftRun(tiny.path("peft"))
  }

  @Test("an adapter's file without values is no adapter", arguments: [true, false])
  func withoutValues(hasTensors: Bool) throws {
    let tiny = try TinyRun(rows: 1)
    try FileManager.default.copyItem(
      atPath: "\(Workbench.fixtures)/peft/bert-seq-lora", toPath: tiny.path("peft"))
    let file = tiny.path("peft/adapter_model.safetensors")
    let names = try SafetensorsFile(file).names
    try SafetensorsWriter.write(
      hasTensors ? names.map { TensorData(name: $0, shape: [0], floats: [] as [Float]) } : [], metadata: [:],
      to: file)
    let error =
      #expect(throws: (any Error).self) { try Workbench.peftRun(tiny.path("peft")) } as? any HelpfulError
    #expect(error?.help?.contains("ZeRO-3") == true)
  }

  @Test(
    "variants that compute something else are refused by their key",
    arguments: [
      ("\"use_dora\": false", "\"use_dora\": true", "'use_dora' is true"),
      ("\"bias\": \"none\"", "\"bias\": \"all\"", "'bias' is \"all\""),
      ("\"rank_pattern\": {}", "\"rank_pattern\": {\"query\": 4}", "'rank_pattern' is {\"query\": 4}"),
      (
        "\"bias\": \"none\"", "\"newer\": 0.5",
        "'newer' is 0.5, and ptune does not know what this key of LORA does"
      ),
    ])
  func refused(_ original: String, _ changed: String, _ reason: String) throws {
    let tiny = try TinyRun(rows: 1)
    let source = "\(Workbench.fixtures)/peft/bert-seq-lora"
    let config = try String(contentsOfFile: "\(source)/adapter_config.json", encoding: .utf8)
    try #require(config.contains(original))
    try FileManager.default.copyItem(atPath: source, toPath: tiny.path("peft"))
    try tiny.write("peft/adapter_config.json", config.replacingOccurrences(of: original, with: changed))
    let error = #expect(throws: PEFTError.self) { try Workbench.peftRun(tiny.path("peft")) }
    #expect(
      error?.description == "\(tiny.path("peft")) is an adapter of PEFT that ptune does not read: \(reason)")
  }

  @Test("on a family that ptune does not know the checkpoint's own names say where PEFT finds the layers")
  func unknownFamily() throws {
    let layers = ["layers.0.self_attn.q_proj", "layers.1.self_attn.q_proj"]
    func sites(_ weights: Set<String>) -> PEFTSites? {
      PEFTSites(family: "gemma3_text", layers: layers, hasWeight: weights.contains)
    }
    let saved = Set(layers.map { "model.\($0).weight" })
    #expect(sites(saved)?.prefix == "base_model.model.model.")
    // The bare model's names do not say what a class with a head calls it, and neither does a part of the layers.
    #expect(sites(Set(layers.map { "\($0).weight" })) == nil)
    #expect(sites(["model.\(layers[0]).weight"]) == nil)
    #expect(!PEFTSites.knows("gemma3_text") && PEFTSites.knows("llama"))
  }
}
