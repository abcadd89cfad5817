import PTuneFormats
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneRunFile
@testable import PTuneTraining

@Suite("Losses that are no numbers or explode") struct DivergenceTests {
  /// A regression in which some rows have a label that nothing can learn: the square of 1e30 is no 32-bit number.
  private func tiny(wild: [Int], label: String = "1e30") throws -> TinyRun {
    let tiny = try TinyRun(rows: 8)
    let lines = (2...25).map { "the film was good\t\(wild.contains($0) ? label : "0.5")\n" }
    try tiny.write("train.tsv", "sentence\tlabel\n" + lines.joined())
    try tiny.write("dev.tsv", "sentence\tlabel\nthe film was bad\t0.25\nthe film was good\t0.5\n")
    return tiny
  }

  private func spec(_ tiny: TinyRun, output: String = "out", _ settings: [String] = []) throws -> RunSpec {
    let text = """
      base: {model: "\(Workbench.fixtures)/tiny-bert"}
      adapter: {plugin: prompt-tuning, virtual_tokens: 2, dropout: 0.3}
      tasks: [{name: score, head: regression, data: {train: train.tsv, validation: dev.tsv, text: sentence}}]
      training: {epochs: 2, batch_size: 4, evaluate_every: 3, checkpoint_every: 2, log_every: 1, threads: 1}
      output: \(tiny.path(output))
      """
    return try RunSpec.parse(
      text, file: tiny.path("run.yaml"), overrides: try settings.map { try RunOverride(set: $0) })
  }

  private func divergence(_ tiny: TinyRun, _ settings: [String] = []) throws -> DivergenceError {
    let spec = try spec(tiny, settings)
    return try #require(#expect(throws: DivergenceError.self) { _ = try tiny.train(spec) })
  }

  private func events(_ tiny: TinyRun, _ kind: String, output: String = "out") throws -> [JSONValue] {
    try String(decoding: tiny.bytes("\(output)/metrics.jsonl"), as: UTF8.self).split(separator: "\n")
      .map { try JSONValue.parse(String($0)) }.filter { $0["event"]?.stringValue == kind }
  }

  @Test("end the training with the step and the rows, and the last good adapter is there")
  func stop() throws {
    let tiny = try tiny(wild: [19])
    let error = try divergence(tiny)
    let (found, kept) = (error.divergence, error.kept)
    #expect(error.skipped == 0)
    #expect(found.problem == .loss(.infinity))
    #expect(found.rows.map(\.file) == [tiny.path("train.tsv")])
    #expect(found.rows[0].lines.count == 4)
    #expect(found.rows[0].lines.contains(19))
    #expect(found.rows[0].lines == found.rows[0].lines.sorted())
    // Evaluations are after every third step; before the first, the values of the last step are kept.
    #expect(kept == (found.step <= 3 ? found.step - 1 : 3 * ((found.step - 1) / 3)))
    let saved = try SafetensorsFile(tiny.path("out/adapter/adapter_model.safetensors"))
    for name in saved.names {
      let values = try saved.floats(name).array
      #expect(!values.contains { !$0.isFinite })
    }
  }

  @Test("are told with file and lines, and what can be done")
  func words() throws {
    let divergence = Divergence(
      step: 7, problem: .explosion(12.5, mean: 0.5), rows: [.init(file: "a.tsv", lines: [2, 5, 9])])
    #expect(
      DivergenceError(divergence: divergence, skipped: 0, kept: 6).description
        == "the loss is 12.5, 25.0 times the mean of the last steps, at step 7, in the batch of a.tsv:2, 5 and 9"
    )
    #expect(
      DivergenceError(divergence: divergence, skipped: 0, kept: 6).help == """
        look at these rows, or lower training.learning_rate or training.clip_norm; with --set \
        training.on_divergence=skip, also with --resume, such steps are left out; the adapter of step 6 is kept
        """)
    #expect(
      DivergenceError(divergence: divergence, skipped: 3, kept: nil).description.hasSuffix(
        "after 3 skipped steps in a row"))
  }

  @Test("are skipped where the run says so: such a step changes nothing")
  func skip() throws {
    let tiny = try tiny(wild: [19])
    let (result, losses) = try tiny.train(try spec(tiny, ["training.on_divergence=skip"]))
    #expect(result.steps == 12)
    // The row comes once in each of two passes.
    #expect(losses.count == 10)
    #expect(!losses.contains { !$0.isFinite })
    let skipped = try events(tiny, "skipped")
    #expect(skipped.count == 2)
    #expect(skipped[0]["reason"] == "the loss is inf")
    #expect(skipped[0]["rows"]?.arrayValue?[0]["lines"]?.arrayValue?.contains(19) == true)
    let steps =
      try events(tiny, "step").compactMap { $0["step"]?.intValue }
      + skipped.compactMap { $0["step"]?.intValue }
    #expect(steps.sorted() == Array(1...12))
  }

  @Test("too many in a row end the training all the same")
  func limit() throws {
    let tiny = try tiny(wild: Array(2...25))
    let error = try divergence(tiny, ["training.on_divergence=skip", "training.skip_limit=2"])
    #expect(error.skipped == 2)
    #expect(error.divergence.step == 3)
  }

  @Test("an explosion counts only where the run gives a factor, and after the first steps")
  func explosion() throws {
    let settings = ["training.epochs=3", "training.learning_rate=1e-4"]
    let tiny = try tiny(wild: [19], label: "50")
    #expect(try tiny.train(try spec(tiny, settings)).losses.count == 18)
    let (_, losses) = try tiny.train(
      try spec(tiny, settings + ["training.on_divergence=skip", "training.explosion_factor=5"]))
    // Only in the third pass: before, the mean has not settled or holds the row itself.
    #expect(losses.count == 17)
    #expect(
      try events(tiny, "skipped").allSatisfy { ($0["step"]?.intValue ?? 0) > DivergenceWatch.settlingSteps })
  }

  @Test("a training that skips is resumed bit for bit", arguments: [2, 5, 7])
  func resumes(after steps: Int) throws {
    let tiny = try tiny(wild: [7, 19])
    let settings = ["training.on_divergence=skip", "training.explosion_factor=1000"]
    let (_, losses) = try tiny.train(try spec(tiny, output: "whole", settings))
    let parts = try spec(tiny, output: "parts", settings)
    let (_, first) = try tiny.train(parts, interruptedAfter: steps)
    let (_, second) = try tiny.train(parts, resume: true)
    #expect(first + second == losses)
    let file = "adapter/adapter_model.safetensors"
    #expect(try tiny.bytes("parts/\(file)") == tiny.bytes("whole/\(file)"))
    #expect(try events(tiny, "skipped", output: "parts") == events(tiny, "skipped", output: "whole"))
  }

  @Test("a training that stopped goes on past the step with --resume and skip")
  func resumePast() throws {
    let tiny = try tiny(wild: [19])
    _ = try divergence(tiny)
    let (result, _) = try tiny.train(try spec(tiny, ["training.on_divergence=skip"]), resume: true)
    #expect(result.steps == 12)
    #expect(try events(tiny, "skipped").count == 2)
  }
}
