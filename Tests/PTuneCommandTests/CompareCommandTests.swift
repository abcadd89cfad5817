import Foundation
import PTuneFormats
import Testing

@Suite("ptune compare") struct CompareCommandTests {
  /// The comparison's document without what differs from one time to the next.
  private func timeless(_ document: JSONValue) -> JSONValue {
    let timed = [
      "training_seconds", "examples_per_second", "latency_seconds", "inference_examples_per_second",
      "training_peak_memory_bytes", "inference_peak_memory_bytes",
    ]
    switch document {
    case .object(let object):
      var kept = JSONObject()
      for (key, value) in object where !timed.contains(key) { kept[key] = timeless(value) }
      return .object(kept)
    case .array(let elements): return .array(elements.map(timeless))
    default: return document
    }
  }

  private func comparison(_ desk: Desk, _ output: String = "out-comparison") throws -> JSONValue {
    try JSONValue.parse(desk.short(try desk.text("\(output)/comparison.json")))
  }

  @Test("each method is trained with each seed, and measured; the documents hold the same numbers")
  func compares() throws {
    let desk = try Desk()
    let result = try desk.ptune(
      "compare", "run.yaml", "--adapters", "prompt-tuning,prefix-tuning:form=hidden", "--seeds", "2",
      "--max-steps", "3")
    #expect(result.errors == "")
    #expect(result.status == 0)
    let document = try comparison(desk)
    let cells = try #require(document["cells"]?.arrayValue)
    #expect(
      cells.map { $0["label"] } == [
        "prompt-tuning", "prompt-tuning", "prefix-tuning form=hidden", "prefix-tuning form=hidden",
      ])
    #expect(cells.map { $0["seed"] } == [42, 43, 42, 43])
    #expect(cells.allSatisfy { $0["state"] == "done" && $0["steps"] == 3 && $0["learning_rate"] == 0.01 })
    let rows = try #require(document["rows"]?.arrayValue)
    #expect(rows.map { $0["label"] } == ["prompt-tuning", "prefix-tuning form=hidden"])
    for (row, cells) in zip(rows, [cells[..<2], cells[2...]]) {
      let task = row["tasks"]?.arrayValue?.first
      #expect(task?["task"] == "tone" && task?["measured_on"] == "test" && task?["metric"] == "accuracy")
      let values = try cells.map {
        try #require($0["tasks"]?.arrayValue?.first?["metrics"]?["accuracy"]?.doubleValue)
      }
      let accuracy = task?["metrics"]?["accuracy"]
      let mean = (values[0] + values[1]) / 2
      #expect(accuracy?["mean"]?.doubleValue == mean)
      let deviation = try #require(accuracy?["deviation"]?.doubleValue)
      #expect(abs(deviation - abs(values[0] - values[1]) / 2.0.squareRoot()) < 1e-12)
      #expect(try desk.text("out-comparison/comparison.csv").contains("\(values[0])"))
      for key in [
        "trainable_parameters", "base_parameters", "training_seconds", "examples_per_second",
        "latency_seconds",
        "inference_examples_per_second", "training_peak_memory_bytes", "inference_peak_memory_bytes",
        "adapter_bytes",
      ] {
        #expect(try #require(row[key]?["mean"]?.doubleValue, "\(key)") > 0)
      }
    }
    // Four rows of 32 numbers at the input, and the head of 2 x 33.
    #expect(rows[0]["trainable_parameters"]?["mean"]?.doubleValue == 194)
    let markdown = try desk.text("out-comparison/comparison.md")
    #expect(markdown.hasPrefix("| METHOD | TRAINABLE | ACCURACY | RATE | SECONDS |"))
    #expect(markdown.contains("Measured on test data; mean ± sample deviation over 2 seeds."))
    #expect(result.output.contains("\nprompt-tuning              194 (0.60 %)  "))
  }

  @Test(
    "what is done is not done again, and a comparison that was killed comes to the same as one that was not")
  func resumes() throws {
    let desk = try Desk()
    let arguments = [
      "compare", "run.yaml", "--adapters", "prompt-tuning,prefix-tuning", "--set",
      "training.checkpoint_every=1", "--epochs", "8", "--quiet",
    ]
    let whole = try desk.ptune(arguments + ["--output", "whole"])
    #expect(whole.status == 0)
    for signal in [SIGKILL, SIGINT] {
      let name = "stopped-\(signal)"
      let process = try desk.process(try Desk.command(), arguments + ["--output", name])
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      let cells = "\(desk.folder)/\(name)/cells"
      func hasCheckpoint() -> Bool {
        let folders = (try? FileSystem.entries(of: cells)) ?? []
        return folders.contains { folder in
          ((try? FileSystem.entries(of: "\(cells)/\(folder)/checkpoints")) ?? []).contains {
            $0.hasSuffix(".safetensors")
          }
        }
      }
      while process.isRunning, !hasCheckpoint() { usleep(500) }
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      if signal == SIGINT { #expect(process.terminationStatus == 130 || process.terminationStatus == 0) }
      // The part that was at work ends with its parent, and then lets the folder go.
      var result = try desk.ptune(arguments + ["--output", name])
      while result.errors.contains("another ptune is training") {
        result = try desk.ptune(arguments + ["--output", name])
      }
      #expect(result.status == 0)
      let (expected, found) = (try comparison(desk, "whole"), try comparison(desk, name))
      #expect(timeless(expected)["rows"] == timeless(found)["rows"])
    }
    let times = try comparison(desk, "whole")
    #expect(try desk.ptune(arguments + ["--output", "whole"]).status == 0)
    #expect(try comparison(desk, "whole") == times)
  }

  @Test("a training that fails has its reason in the table, the others go on, and the status is 1")
  func failure() throws {
    let desk = try Desk()
    let result = try desk.ptune(
      "compare", "run.yaml", "--adapters", "multitask-prompt-tuning,prompt-tuning", "--max-steps", "2")
    #expect(result.status == 1)
    let document = try comparison(desk)
    #expect(document["cells"]?.arrayValue?.map { $0["state"] } == ["failed", "done"])
    let error = "the adapter 'multitask-prompt-tuning' uses a selector"
    #expect(document["cells"]?.arrayValue?[0]["error"]?.stringValue?.contains(error) == true)
    #expect(result.errors.contains("1/2  multitask-prompt-tuning failed: "))
    #expect(result.output.contains("multitask-prompt-tuning, seed 42, failed: "))
    #expect(try desk.text("out-comparison/comparison.md").contains("failed"))
    let again = try desk.ptune(
      "compare", "run.yaml", "--adapters", "multitask-prompt-tuning:form=factors,prompt-tuning",
      "--max-steps",
      "2")
    #expect(again.status == 0)
    #expect(again.output.contains("2 trainings, 1 of them already done"))
  }

  @Test("results of another run file are refused, with what is different and what to do")
  func otherConditions() throws {
    let desk = try Desk()
    let arguments = ["compare", "run.yaml", "--adapters", "prompt-tuning", "--max-steps", "2"]
    #expect(try desk.ptune(arguments).status == 0)
    let other = try desk.ptune(arguments + ["--batch-size", "4"])
    #expect(other.status == 1)
    #expect(
      other.errors == """
        error: prompt-tuning, seed 42, already exists from another run: 'batch_size: 8' then, 'batch_size: 4' now
        help: results of different runs do not belong in one table: give another folder with --output, or delete \
        the old ones with --restart

        """)
    try desk.write("train.tsv", try desk.text("train.tsv") + "the film was good\tpositive\n")
    let data = try desk.ptune(arguments)
    #expect(data.errors.contains("the contents of FOLDER/train.tsv changed"))
    #expect(try desk.ptune(arguments + ["--restart"]).status == 0)
  }

  @Test("the run file may say what is compared; --dry-run lists it and trains nothing")
  func dryRun() throws {
    let desk = try Desk()
    try desk.write(
      "other.yaml",
      Desk.run.replacingOccurrences(of: "p-tuning-v2", with: "p-tuning").replacingOccurrences(
        of: ", depth: 2", with: ""))
    try desk.write(
      "run.yaml",
      Desk.run + """
        compare:
          adapters: [prompt-tuning, "prefix-tuning:training.learning_rate=0.1", other.yaml]
          grid: ["adapter.placement=start,end"]
          seeds: 2

        """)
    let result = try desk.ptune("compare", "run.yaml", "--dry-run")
    #expect(result.status == 0)
    #expect(
      result.errors
        == "warning: prefix-tuning training.learning_rate=0.1 has no placement; it is trained without that part of the grid\n"
    )
    #expect(
      result.output == """
        METHOD                                    SEED  STATE
        prompt-tuning placement=start               42  new
        prompt-tuning placement=start               43  new
        prompt-tuning placement=end                 42  new
        prompt-tuning placement=end                 43  new
        prefix-tuning training.learning_rate=0.1    42  new
        prefix-tuning training.learning_rate=0.1    43  new
        other placement=start                       42  new
        other placement=start                       43  new
        other placement=end                         42  new
        other placement=end                         43  new

        10 trainings, for FOLDER/out-comparison

        """)
    #expect(!FileSystem.exists(desk.folder + "/out-comparison"))
    // A training takes no notice of the section.
    #expect(try desk.ptune("train", "run.yaml", "--max-steps", "1", "--quiet").status == 0)
  }

  @Test("several tasks have a column each")
  func tasks() throws {
    let desk = try Desk()
    let run = Desk.run.replacingOccurrences(
      of: "training:",
      with: """
          - name: other
            head: {plugin: sequence-classification, dropout: 0}
            data: {train: dev.tsv, validation: test.tsv, text: sentence}
        training:
        """)
    try desk.write("run.yaml", run)
    let result = try desk.ptune("compare", "run.yaml", "--max-steps", "2")
    #expect(result.status == 0)
    #expect(result.output.contains("TONE ACCURACY"))
    #expect(result.output.contains("OTHER ACCURACY"))
    #expect(result.output.contains("Measured on tone: test data, other: validation data."))
  }

  @Test(
    "mistakes are told before anything is trained",
    arguments: [
      (["--adapters", "prompt-tunin"], "did you mean"),
      (["--adapters", "prompt-tuning:virtual_tokns=3"], "virtual_tokns"),
      (["--adapters", "prompt-tuning:virtual_tokens"], "should be KEY=VALUE"),
      (["--adapters", "prompt-pool"], "name one with it, as in prompt-pool:selector="),
      (["--adapters", "prompt-tuning,prompt-tuning"], "is named twice"),
      (["--grid", "adapter.virtual_tokns=3,4"], "none of the compared adapters has 'virtual_tokns'"),
      (["--grid", "training.seed=1,2"], "seeds are not a grid"),
      (["--grid", "adapter.virtual_tokens"], "expected KEY=VALUE,VALUE"),
    ])
  func mistakes(arguments: [String], expected: String) throws {
    let desk = try Desk()
    let result = try desk.ptune(["compare", "run.yaml"] + arguments)
    #expect(result.status == 1)
    #expect(result.errors.contains(expected), "\(result.errors)")
    #expect(!FileSystem.exists(desk.folder + "/out-comparison/cells"))
  }
}
