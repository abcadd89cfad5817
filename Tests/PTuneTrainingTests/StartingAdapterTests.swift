import Foundation
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneRunFile
@testable import PTuneTraining

@Suite("Going on from a trained adapter") struct StartingAdapterTests {
  /// So small that a step changes no value.
  private static let still = ["training.max_steps=1", "training.learning_rate=1e-30"]

  /// The scores of a row of token ids.
  private func scores(_ run: AdapterRun, _ tiny: TinyRun) throws -> [[Float]] {
    let file = try tiny.write("rows.jsonl", "{\"input_ids\": [2, 17, 40, 3]}\n")
    var scores: [[Float]] = []
    try Predictor(run, task: 0, data: run.folder.tasks.map(\.data)).predict(rowsOf: file) {
      scores += $0.scores
    }
    return scores
  }

  @Test(
    "a run starts from what ptune saved, folded encoders too",
    arguments: [
      "{plugin: prompt-tuning, virtual_tokens: 3, placement: end}",
      "{plugin: prefix-tuning, virtual_tokens: 3, reparameterization: mlp}",
      "{plugin: p-tuning, virtual_tokens: 3, encoder: lstm}",
    ])
  func own(adapter: String) throws {
    let tiny = try TinyRun()
    let (first, _) = try tiny.train(
      try tiny.spec(adapter: adapter, ["training.max_steps=6", "training.learning_rate=0.02"]))
    let name = try #require(adapter.split(separator: " ")[1].split(separator: ",").first)
    let start = ["start_from=\(first.adapter)", "tasks.0.name=mood"]
    let (second, _) = try tiny.train(
      try tiny.spec(adapter: String(name), output: "second", start + Self.still))
    let run = try tiny.load(second)
    #expect(try scores(run, tiny) == scores(tiny.load(first), tiny))
    #expect(run.folder.tasks.map(\.name) == ["mood"])
  }

  @Test(
    "training goes on with the encoder that was folded away, unless it is gone or not asked for",
    arguments: [
      "{plugin: prefix-tuning, virtual_tokens: 3, reparameterization: mlp, bottleneck: 8}",
      "{plugin: p-tuning, virtual_tokens: 3, encoder: lstm, encoder_hidden_size: 4}",
    ])
  func encoders(adapter: String) throws {
    let tiny = try TinyRun()
    let (first, _) = try tiny.train(
      try tiny.spec(adapter: adapter, ["training.max_steps=6", "training.learning_rate=0.02"]))
    let file = "\(first.adapter)/ptune_encoder.safetensors"
    let start = ["start_from=\(first.adapter)"]
    func goOn(_ adapter: String, _ output: String) throws -> (
      folder: String, trained: Int, warnings: [String]
    ) {
      var warnings: [String] = []
      let run = try TrainingRun(
        try tiny.spec(adapter: adapter, output: output, start + Self.still),
        registry: Workbench.factory().registry
      ) { warnings.append($1) }
      let result = try Trainer(run) { _ in }.train(resume: false) { false }
      #expect(try scores(tiny.load(result), tiny) == scores(tiny.load(first), tiny))
      return (result.adapter, result.trainableParameters, warnings)
    }
    let plugin = String(try #require(adapter.split(separator: " ")[1].split(separator: ",").first))
    let kept = try goOn(plugin, "kept")
    #expect(kept.trained == first.trainableParameters && kept.warnings.isEmpty)
    #expect(
      try MappedFile(file).withBytes { Array($0) }
        == MappedFile("\(kept.folder)/ptune_encoder.safetensors").withBytes { Array($0) })
    #expect(try goOn(adapter, "asked").trained == first.trainableParameters)
    let other = plugin == "p-tuning" ? "encoder" : "reparameterization"
    let bare = try goOn("{plugin: \(plugin), \(other): none}", "bare")
    #expect(bare.trained < first.trainableParameters && bare.warnings.isEmpty)
    #expect(!FileSystem.exists("\(bare.folder)/ptune_encoder.safetensors"))
    // As if PEFT had trained the virtual tokens, of which it knows no encoder.
    try FileSystem.removeFile(file)
    let gone = try goOn(adapter, "gone")
    #expect(gone.trained == bare.trained)
    #expect(
      gone.warnings.count == 1 && gone.warnings[0].contains("goes on with the virtual tokens themselves"))
  }

  @Test(
    "a run starts from what PEFT saved", arguments: ["prompt_tuning", "prefix_projection", "p_tuning_mlp"])
  func peft(method: String) throws {
    let tiny = try TinyRun()
    let folder = "\(Workbench.fixtures)/peft/bert-seq-\(method)"
    let plugin = [
      "prompt_tuning": "prompt-tuning", "prefix_projection": "prefix-tuning", "p_tuning_mlp": "p-tuning",
    ][method]!
    let (result, _) = try tiny.train(
      try tiny.spec(
        adapter: plugin,
        [
          "start_from=\(folder)", "base.model=\(Workbench.fixtures)/tiny-bert-classifier",
          "tasks.0.head.labels=[\"positive\", \"negative\", \"neither\"]",
        ] + Self.still))
    let run = try tiny.load(result)
    #expect(try scores(run, tiny) == scores(Workbench.peftRun(folder), tiny))
    #expect(run.folder.tasks[0].labels == ["positive", "negative", "neither"])
    #expect(run.folder.tasks[0].head.hyperparameters["pooling"] == .string("first"))
  }

  @Test("a task is added to what PEFT saved, whose own tasks stay as they are")
  func extend() throws {
    let tiny = try TinyRun()
    let folder = "\(Workbench.fixtures)/peft/bert-seq-multitask"
    let (result, _) = try tiny.train(
      try tiny.spec(
        adapter: "multitask-prompt-tuning",
        [
          "extend=\(folder)", "base.model=\(Workbench.fixtures)/tiny-bert-classifier", "training.max_steps=3",
        ]))
    let run = try tiny.load(result)
    #expect(run.folder.tasks.map(\.name) == ["task_0", "task_1", "task_2", "tone"])
    #expect(try scores(run, tiny) == scores(Workbench.peftRun(folder), tiny))
  }

  @Test(
    "what does not fit is refused",
    arguments: [
      (
        "prefix-tuning", [],
        "the adapter of FOLDER/adapter is 'prompt-tuning', not 'prefix-tuning'"
      ),
      (
        "prompt-tuning", ["tasks.0.head.plugin=regression"],
        "the head of task 'tone' of FOLDER/adapter is 'sequence-classification', not 'regression'"
      ),
      (
        "{plugin: prompt-tuning, virtual_tokens: 4}", [],
        "the run cannot start from FOLDER/adapter: tensor 'prompt_embeddings' has the shape [3, 32], not [4, 32]"
      ),
      ("prompt-tuning", ["extend=elsewhere"], "give either 'extend' or 'start_from', not both"),
    ])
  func refused(adapter: String, settings: [String], message: String) throws {
    let tiny = try TinyRun()
    let (first, _) = try tiny.train(
      try tiny.spec(adapter: "{plugin: prompt-tuning, virtual_tokens: 3}", ["training.max_steps=1"]))
    let error = #expect(throws: (any Error).self) {
      _ = try tiny.train(
        try tiny.spec(adapter: adapter, output: "second", ["start_from=\(first.adapter)"] + settings))
    }
    let folder = first.adapter.split(separator: "/").dropLast().joined(separator: "/")
    let said = error.map { "\($0)" }?.replacingOccurrences(of: "/\(folder)/", with: "FOLDER/") ?? ""
    #expect(said.hasSuffix(message), "\(said)")
  }

  @Test("the run that is written names where it started")
  func written() throws {
    let tiny = try TinyRun()
    let spec = try tiny.spec(adapter: "prompt-tuning", ["start_from=/somewhere/adapter"])
    #expect(
      try RunSpec.parse(spec.yaml(), file: tiny.path("run.yaml")).startFrom?.value == "/somewhere/adapter")
  }
}
