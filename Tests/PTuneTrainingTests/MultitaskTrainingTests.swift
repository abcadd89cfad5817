import Foundation
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile
@testable import PTuneTraining

@Suite("Training several tasks") struct MultitaskTrainingTests {
  private static let pool =
    "{plugin: multitask-prompt-tuning, virtual_tokens: 2, pool_size: 3, private_entries: 1}"
  private static let factors = "{plugin: multitask-prompt-tuning, form: factors, virtual_tokens: 3}"

  /// Two tasks of different size over the tiny BERT; the second one's labels are the first one's by other names.
  private func spec(
    _ tiny: TinyRun, adapter: String, selector: String? = nil, output: String = "out",
    extend: String? = nil, only: [String] = ["tone", "style"], _ settings: [String] = []
  ) throws -> RunSpec {
    for name in ["train", "dev", "test"] {
      let rows = String(decoding: try tiny.bytes("\(name).tsv"), as: UTF8.self)
      let renamed = rows.replacingOccurrences(of: "\tpositive", with: "\twarm")
        .replacingOccurrences(of: "\tnegative", with: "\tcold")
      try tiny.write(
        "style-\(name).tsv", renamed.split(separator: "\n").prefix(21).joined(separator: "\n") + "\n")
    }
    let tasks = [
      "tone": """
        - name: tone
          head: {plugin: sequence-classification, dropout: 0}
          data: {train: train.tsv, validation: dev.tsv, test: test.tsv, text: sentence}
      """,
      "style": """
        - name: style
          weight: 0.5
          head: {plugin: sequence-classification, dropout: 0}
          data: {train: style-train.tsv, validation: style-dev.tsv, text: sentence}
      """,
    ]
    let text = """
      base: {model: "\(Workbench.fixtures)/tiny-bert"}
      adapter: \(adapter)
      \(selector.map { "selector: \($0)" } ?? "")
      \(extend.map { "extend: \($0)" } ?? "")
      tasks:
      \(only.map { tasks[$0] ?? "" }.joined(separator: "\n"))
      training: {epochs: 4, batch_size: 8, checkpoint_every: 5, log_every: 1, threads: 2, learning_rate: 0.03}
      output: \(tiny.path(output))
      """
    return try RunSpec.parse(
      text, file: tiny.path("run.yaml"), overrides: try settings.map { try RunOverride(set: $0) })
  }

  @Test(
    "tasks learn together, are measured one by one, and the adapter reloads to the same scores",
    arguments: [
      [], ["training.task_batches=mixed"], ["training.task_sampling=uniform"],
      ["training.task_weighting=uncertainty", "training.task_batches=mixed"],
      ["training.task_sampling=temperature", "training.best_by=geometric-mean"],
    ])
  func learns(settings: [String]) throws {
    for (adapter, selector) in [
      (Self.pool, "task"), (Self.factors, nil), ("{plugin: prefix-tuning, virtual_tokens: 3}", nil),
    ] {
      let tiny = try TinyRun()
      let run = try TrainingRun(
        try spec(tiny, adapter: adapter, selector: selector, settings),
        registry: Workbench.factory().registry
      ) { _, _ in }
      var losses: [Double] = []
      let result = try Trainer(run) { if case .step(let step) = $0 { losses.append(step.loss) } }
        .train(resume: false) { false }
      let quarter = losses.count / 4
      #expect(losses.suffix(quarter).reduce(0, +) < losses.prefix(quarter).reduce(0, +))
      #expect(result.validation.map(\.task) == ["tone", "style"])
      #expect(result.validation.map(\.examples) == [24, 20])
      #expect(result.test.map(\.task) == ["tone"])
      let loaded = try tiny.load(result)
      for task in [0, 1] {
        let examples = try #require(run.examples[task].validation)
        let (before, _) = try run.composition.scores(examples, task: task, batchSize: 5)
        let (after, _) = try loaded.composition.scores(examples, task: task, batchSize: 5)
        #expect(before == after)
      }
    }
  }

  @Test("a training of several tasks that was interrupted ends with the bits of one that was not")
  func resumes() throws {
    let tiny = try TinyRun()
    let settings = [
      "training.task_batches=mixed", "training.task_sampling=uniform",
      "training.task_weighting=uncertainty",
    ]
    func made(_ output: String) throws -> RunSpec {
      try spec(tiny, adapter: Self.pool, selector: "task", output: output, settings)
    }
    let (_, losses) = try tiny.train(try made("whole"))
    let (_, first) = try tiny.train(try made("parts"), interruptedAfter: 13)
    let (_, second) = try tiny.train(try made("parts"), resume: true)
    #expect(first + second == losses)
    let file = "adapter/adapter_model.safetensors"
    #expect(try tiny.bytes("parts/\(file)") == tiny.bytes("whole/\(file)"))
  }

  @Test("a task added to a trained adapter learns, and leaves the other one bit for bit as it was")
  func extends() throws {
    for (adapter, selector) in [
      (Self.pool, "task"), (Self.factors, nil), ("{plugin: prefix-tuning, virtual_tokens: 3}", nil),
      ("\nadapters: [{plugin: prefix-tuning, virtual_tokens: 3}, {plugin: lora, r: 2}]", nil),
    ] {
      let tiny = try TinyRun()
      let (first, _) = try tiny.train(
        try spec(tiny, adapter: adapter, selector: selector, output: "one", only: ["tone"]))
      let name = selector.map { "{plugin: \($0)}" }
      let names = try Workbench.opened(first.adapter).folder.adapters.map(\.plugin)
      let plugin = names.count == 1 ? names[0] : "\nadapters: [\(names.joined(separator: ", "))]"
      let more = try spec(
        tiny, adapter: plugin, selector: name, output: "two", extend: first.adapter, only: ["style"])
      let (second, losses) = try tiny.train(more)
      #expect(losses.suffix(3).reduce(0, +) < losses.prefix(3).reduce(0, +))
      #expect(second.validation.map(\.task) == ["style"])
      let (old, new) = (try tiny.load(first), try tiny.load(second))
      #expect(new.folder.tasks.map(\.name) == ["tone", "style"])
      var data = old.folder.tasks[0].data
      data.train.value = tiny.path("dev.tsv")
      func lines(_ run: AdapterRun) throws -> [String] {
        var lines: [String] = []
        try Predictor(run, task: 0, data: [data]).predict(rowsOf: tiny.path("dev.tsv")) {
          lines.append($0.line(scores: true))
        }
        return lines
      }
      #expect(try lines(old) == lines(new))

      // The interrupted training goes on as if it had not been.
      let again = try spec(
        tiny, adapter: plugin, selector: name, output: "three", extend: first.adapter, only: ["style"])
      let (_, begun) = try tiny.train(again, interruptedAfter: 4)
      let (_, ended) = try tiny.train(again, resume: true)
      #expect(begun + ended == losses)
    }
  }

  @Test("what does not fit the adapter that is to be extended is refused")
  func doesNotFit() throws {
    let tiny = try TinyRun(rows: 8)
    let (first, _) = try tiny.train(
      try spec(tiny, adapter: Self.factors, output: "one", only: ["tone"], ["training.max_steps=1"]))
    let path = first.adapter
    let cases: [(RunSpec, String)] = [
      (
        try spec(tiny, adapter: "multitask-prompt-tuning", extend: path, only: ["tone"]),
        "has a task 'tone' already"
      ),
      (
        try spec(tiny, adapter: "prompt-tuning", extend: path, only: ["style"]),
        "is 'multitask-prompt-tuning', not 'prompt-tuning'"
      ),
      (
        try spec(
          tiny, adapter: "{plugin: multitask-prompt-tuning, rank: 2}", extend: path, only: ["style"]),
        "'rank' is not what"
      ),
      (
        try spec(
          tiny, adapter: "multitask-prompt-tuning", selector: "task", extend: path, only: ["style"]),
        "has no selector"
      ),
      (
        try spec(
          tiny, adapter: "multitask-prompt-tuning", extend: path, only: ["style"],
          ["training.maximum_length=9"]),
        "cuts texts to what fits, and the run to 9"
      ),
      (
        try spec(tiny, adapter: "multitask-prompt-tuning", extend: tiny.path("no"), only: ["style"]),
        "is not an adapter folder"
      ),
    ]
    for (spec, reason) in cases {
      let error = #expect(throws: (any Error).self) { try tiny.train(spec) }
      #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
    }
  }

  @Test(
    "an option for several tasks is refused where it can do nothing",
    arguments: [
      (["training.best_by=mean"], ["tone"], "'best_by' is for runs with several tasks"),
      (
        ["training.task_temperature=3"], ["tone", "style"],
        "'task_temperature' needs 'task_sampling: temperature'"
      ),
    ])
  func refuses(settings: [String], only: [String], reason: String) throws {
    let tiny = try TinyRun(rows: 8)
    let error = #expect(throws: RunFileError.self) {
      try spec(tiny, adapter: "prompt-tuning", only: only, settings)
    }
    #expect(error.map { "\($0)".contains(reason) } == true, "\(String(describing: error))")
  }

  @Test("a run of several tasks that is written reads back the same")
  func writes() throws {
    let tiny = try TinyRun(rows: 8)
    let spec = try spec(
      tiny, adapter: Self.pool, selector: "task",
      ["training.task_sampling=temperature", "training.task_temperature=3"])
    let again = try RunSpec.parse(spec.yaml(), file: tiny.path("run.yaml"))
    #expect(again.yaml() == spec.yaml())
    #expect(again.training == spec.training)
    #expect(again.tasks.map(\.weight) == [1, 0.5])
  }
}
