import Foundation
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneTraining

@Suite("Training") struct TrainerTests {
  /// The adapters of this package, small.
  static let adapters = [
    "{plugin: prompt-tuning, virtual_tokens: 4}",
    "{plugin: prefix-tuning, virtual_tokens: 4, form: hidden}",
    "{plugin: prefix-tuning, virtual_tokens: 4, form: key-value}",
    "{plugin: p-tuning-v2, virtual_tokens: 4, depth: 2}",
    "{plugin: prefix-tuning, virtual_tokens: 4, reparameterization: mlp, bottleneck: 8}",
    "{plugin: p-tuning-v2, virtual_tokens: 4, form: hidden, reparameterization: mlp, bottleneck: 8}",
    "{plugin: p-tuning, virtual_tokens: 4, encoder: none, deviation: 0.02}",
    "{plugin: p-tuning, virtual_tokens: 4, encoder: mlp, encoder_hidden_size: 8}",
    "{plugin: p-tuning, virtual_tokens: 4, encoder: lstm, encoder_hidden_size: 4, encoder_dropout: 0.1}",
    "{plugin: prompt-tuning, virtual_tokens: 4, initialization: class-labels}",
    "{plugin: prefix-tuning, virtual_tokens: 4, initialization: text, initial_text: a good film}",
    "{plugin: p-tuning-v2, virtual_tokens: 4, initialization: sampled-vocabulary, form: hidden, depth: 2}",
    "{plugin: residual-prompt-tuning, virtual_tokens: 4, bottleneck: 8}",
    "{plugin: lora, r: 2, dropout: 0.1}",
    "{plugin: ia3}",
    "\nadapters: [{plugin: prefix-tuning, virtual_tokens: 4}, {plugin: lora, r: 2}]",
  ]

  @Test("some steps lower the loss", arguments: adapters)
  func learns(adapter: String) throws {
    let tiny = try TinyRun()
    let spec = try tiny.spec(
      adapter: adapter,
      ["training.epochs=6", "training.learning_rate=0.03", "tasks.tone.head.dropout=0"])
    let (result, losses) = try tiny.train(spec)
    #expect(losses.count == 48)
    let (first, last) = (losses.prefix(8).reduce(0, +), losses.suffix(8).reduce(0, +))
    #expect(last < 0.9 * first)
    #expect(result.steps == 48)
    #expect(!result.wasInterrupted)
    #expect(result.validation.map(\.examples) == [24])
    #expect(result.test.first?.metrics.map(\.name) == ["accuracy", "f1_macro", "mcc", "majority_class"])
  }

  @Test(
    "each method trains as many values as its papers count",
    arguments: zip(
      adapters, [128, 384, 768, 512, 2120, 1256, 128, 752, 2152, 128, 768, 256, 744, 768, 336, 1536]))
  func counts(adapter: String, count: Int) throws {
    let tiny = try TinyRun(rows: 8)
    let (result, _) = try tiny.train(try tiny.spec(adapter: adapter, ["training.max_steps=1"]))
    // P·H, L·P·H, 2·L·P·H and, for the upper two layers, 2·2·P·H; with an MLP P·H, H·8 + 8 and 8·C + C, where
    // C is 2·L·H or L·H; PEFT's prompt encoders; and the head: two labels from 32 values, biases.
    let head = 2 * 32 + 2
    #expect(result.trainableParameters == count + head)
    #expect(result.baseParameters == 32_144)
  }

  @Test(
    "a saved adapter gives the same scores bit for bit, and the metrics of the training", arguments: adapters)
  func reloads(adapter: String) throws {
    let tiny = try TinyRun()
    let spec = try tiny.spec(adapter: adapter, ["training.max_steps=10"])
    let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
    let result = try Trainer(run) { _ in }.train(resume: false) { false }
    let examples = try #require(run.examples[0].test)
    let loaded = try tiny.load(result)
    // The trainer leaves the best values in the model.
    let (before, _) = try run.composition.scores(examples, task: 0, batchSize: 5)
    let (after, _) = try loaded.composition.scores(examples, task: 0, batchSize: 5)
    #expect(before == after)

    var data = loaded.folder.tasks[0].data
    data.train.value = tiny.path("dev.tsv")
    let report = try loaded.evaluate(data, task: 0, batchSize: 64) { _, _ in }
    #expect(report.metrics.map(\.value) == result.validation[0].metrics.map(\.value))
  }

  @Test("the same run twice gives the same bits")
  func repeats() throws {
    let tiny = try TinyRun()
    for output in ["a", "b"] {
      let adapter = "{plugin: p-tuning-v2, virtual_tokens: 3, dropout: 0.3}"
      _ = try tiny.train(try tiny.spec(adapter: adapter, output: output))
    }
    for file in ["adapter_model.safetensors", "adapter_config.json"] {
      #expect(try tiny.bytes("a/adapter/\(file)") == tiny.bytes("b/adapter/\(file)"))
    }
  }

  @Test(
    "a training that was interrupted and resumed ends with the bits of one that was not",
    arguments: [1, 7, 9, 16, 23], [1, 3])
  func resumes(after steps: Int, accumulation: Int) throws {
    let tiny = try TinyRun()
    let adapter = "{plugin: p-tuning-v2, virtual_tokens: 3, dropout: 0.3}"
    let settings = ["training.accumulation=\(accumulation)", "training.warmup_steps=3"]
    let whole = try tiny.spec(adapter: adapter, output: "whole", settings)
    let parts = try tiny.spec(adapter: adapter, output: "parts", settings)
    let (expected, losses) = try tiny.train(whole)
    let (stopped, first) = try tiny.train(parts, interruptedAfter: steps)
    #expect(stopped.wasInterrupted == (steps < expected.steps))
    let (result, second) = try tiny.train(parts, resume: true)
    #expect(first + second == losses)
    #expect(result.bestStep == expected.bestStep)
    #expect(result.steps == expected.steps)
    let file = "adapter/adapter_model.safetensors"
    #expect(try tiny.bytes("parts/\(file)") == tiny.bytes("whole/\(file)"))
  }

  @Test(
    "an adapter that is saved folded goes on from its checkpoint, which has all that it trains",
    arguments: [
      "{plugin: prefix-tuning, virtual_tokens: 3, reparameterization: mlp, bottleneck: 8}",
      "{plugin: p-tuning, virtual_tokens: 3, encoder: lstm, encoder_hidden_size: 4, encoder_dropout: 0.3}",
    ])
  func resumesFolding(adapter: String) throws {
    let tiny = try TinyRun()
    let whole = try tiny.spec(adapter: adapter, output: "whole")
    let parts = try tiny.spec(adapter: adapter, output: "parts")
    let (_, losses) = try tiny.train(whole)
    let (_, first) = try tiny.train(parts, interruptedAfter: 9)
    let (_, second) = try tiny.train(parts, resume: true)
    #expect(first + second == losses)
    for file in ["adapter_model.safetensors", "adapter_config.json"] {
      #expect(try tiny.bytes("parts/adapter/\(file)") == tiny.bytes("whole/adapter/\(file)"))
    }
    let saved = try SafetensorsFile(tiny.path("parts/adapter/adapter_model.safetensors"))
    #expect(saved.names.filter { !$0.hasPrefix("head.") } == ["prompt_embeddings"])
  }

  @Test("a resumed training does not repeat lines of metrics.jsonl, even after a crash")
  func metricsOnce() throws {
    let tiny = try TinyRun()
    let spec = try tiny.spec(adapter: "prompt-tuning")
    _ = try tiny.train(spec, interruptedAfter: 9)
    let appender = try LineAppender(tiny.path("out/metrics.jsonl"))
    try appender.append(["event": "step", "step": 10])
    _ = try tiny.train(spec, resume: true)
    let lines = String(decoding: try tiny.bytes("out/metrics.jsonl"), as: UTF8.self).split(separator: "\n")
    let steps = try lines.map { try JSONValue.parse(String($0)) }.filter {
      $0["event"]?.stringValue == "step"
    }
    #expect(steps.compactMap { $0["step"]?.intValue } == Array(1...24))
  }

  @Test("a new training does not leave checkpoints of an old one to be resumed")
  func freshStart() throws {
    let tiny = try TinyRun()
    let spec = try tiny.spec(adapter: "prompt-tuning")
    _ = try tiny.train(spec, interruptedAfter: 20)
    _ = try tiny.train(spec, interruptedAfter: 2)
    #expect(try FileSystem.entries(of: tiny.path("out/checkpoints")) == ["step-2.safetensors"])
  }

  @Test("a checkpoint of another run is refused, and that run is left as it was")
  func otherCheckpoint() throws {
    let tiny = try TinyRun()
    _ = try tiny.train(try tiny.spec(adapter: "prompt-tuning"), interruptedAfter: 2)
    let runFile = try MappedFile(tiny.path("out/run.yaml")).withBytes { Array($0) }
    let error = #expect(throws: TrainingError.self) {
      try tiny.train(try tiny.spec(adapter: "{plugin: prompt-tuning, virtual_tokens: 3}"), resume: true)
    }
    #expect(
      error?.description
        == "\(tiny.path("out/checkpoints/step-2.safetensors")): has no tensor 'adapter.prompt_embeddings.values' "
        + "of the shape [3, 32]")
    #expect(error?.help == "it belongs to another run; give another output folder, or train without --resume")
    #expect(try MappedFile(tiny.path("out/run.yaml")).withBytes { Array($0) } == runFile)
  }

  @Test("an output folder is for one training at a time")
  func lock() throws {
    let tiny = try TinyRun(rows: 8)
    try FileSystem.createFolder(tiny.path("out"))
    let error = #expect(throws: TrainingError.self) {
      try OutputLock.hold(tiny.path("out")) { _ = try tiny.train(try tiny.spec(adapter: "prompt-tuning")) }
    }
    #expect(error == .outputInUse(folder: tiny.path("out")))
    #expect(try FileSystem.entries(of: tiny.path("out")) == [".lock"])
    _ = try tiny.train(try tiny.spec(adapter: "prompt-tuning"))
  }

  @Test("training stops early when evaluations get no better")
  func earlyStop() throws {
    let tiny = try TinyRun()
    // With a rate this small nothing gets better after the first evaluation.
    let spec = try tiny.spec(
      adapter: "prompt-tuning",
      ["training.learning_rate=1e-12", "training.early_stopping_patience=2", "training.evaluate_every=3"])
    let (result, _) = try tiny.train(spec)
    #expect(result.steps == 9)
    #expect(result.bestStep == 3)
  }
}
