import CPTuneKernels
import Foundation
import PTuneEngine
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneTraining

@Suite("Computing in bf16") struct ComputePrecisionTests {
  private let adapter = "{plugin: p-tuning-v2, virtual_tokens: 4}"
  private let bf16 = "training.compute=bf16"

  @Test("a training in bf16 takes other steps than one in f32 and becomes as good")
  func trains() throws {
    let tiny = try TinyRun()
    let settings = ["training.epochs=12", "training.learning_rate=0.03", "tasks.tone.head.dropout=0"]
    let (f32, losses) = try tiny.train(try tiny.spec(adapter: adapter, output: "f32", settings))
    let (rounded, roundedLosses) = try tiny.train(
      try tiny.spec(adapter: adapter, output: "bf16", settings + [bf16]))
    #expect(losses != roundedLosses)
    for (exact, rounded) in zip(losses, roundedLosses).prefix(8) { #expect(abs(exact - rounded) < 0.02) }
    let accuracies = [f32, rounded].map { $0.test.first?.metrics.first?.value ?? 0 }
    let ends = [losses, roundedLosses].map { $0.suffix(8).reduce(0, +) / 8 }
    #expect(ends[0] < 0.9 * losses[0], "\(losses)")
    #expect(abs(ends[0] - ends[1]) < 0.05, "\(ends)")
    #expect(accuracies[1] >= accuracies[0] - 1.5 / 24, "\(accuracies)")
    let record = String(decoding: try tiny.bytes("bf16/run.yaml"), as: UTF8.self)
    #expect(record.contains("\n  compute: bf16\n"))
  }

  @Test("the same run twice, and one that was resumed, give the same bits")
  func repeats() throws {
    let tiny = try TinyRun()
    let (_, losses) = try tiny.train(try tiny.spec(adapter: adapter, output: "a", [bf16]))
    let parts = try tiny.spec(adapter: adapter, output: "b", [bf16])
    let (_, first) = try tiny.train(parts, interruptedAfter: 9)
    let (_, second) = try tiny.train(parts, resume: true)
    #expect(first + second == losses)
    let file = "adapter/adapter_model.safetensors"
    #expect(try tiny.bytes("a/\(file)") == tiny.bytes("b/\(file)"))
  }

  @Test("a trained adapter gives nearly the same scores in bf16 as in f32, though not the same")
  func scores() throws {
    let tiny = try TinyRun()
    let spec = try tiny.spec(adapter: adapter, ["training.max_steps=10"])
    let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
    let result = try Trainer(run) { _ in }.train(resume: false) { false }
    let examples = try #require(run.examples[0].test)
    let (exact, rounded) = (
      try tiny.load(result).composition.scores(examples, task: 0, batchSize: 5).perExample.flatMap { $0 },
      try tiny.load(result, compute: .bf16).composition.scores(examples, task: 0, batchSize: 5).perExample
        .flatMap {
          $0
        }
    )
    let size = exact.map(abs).max() ?? 0
    let largest = zip(exact, rounded).map { abs($0 - $1) }.max() ?? .infinity
    #expect(largest > 0 && largest < 0.03 * size)
  }

  @Test(
    "a processor without instructions for bf16 computes in it all the same, and a warning says that it is no faster"
  )
  func announced() throws {
    let tiny = try TinyRun()
    let (result, _) = try tiny.train(try tiny.spec(adapter: adapter, ["training.max_steps=2"]))
    func warnings(_ compute: ComputePrecision) throws -> [String] {
      var messages: [String] = []
      let loaded = try tiny.load(result, compute: compute) { messages.append($0) }
      var data = loaded.folder.tasks[0].data
      data.train.value = tiny.path("dev.tsv")
      let report = try loaded.evaluate(data, task: 0, batchSize: 64) { _, _ in }
      #expect(report.examples == 24)
      return messages
    }
    let best = String(cString: ptk_kernel_variant())
    defer { _ = ptk_use_kernel_variant(best) }
    #expect(ptk_use_kernel_variant("baseline") || ptk_use_kernel_variant("neon"))
    #expect(try warnings(.f32).isEmpty)
    let messages = try warnings(.bf16)
    #expect(messages.count == 1)
    #expect(messages.first?.contains("no instructions for bf16 products") == true)
  }
}
