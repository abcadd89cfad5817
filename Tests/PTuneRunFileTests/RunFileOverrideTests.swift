import PTuneFormats
import Testing

@testable import PTuneComposition
@testable import PTuneRunFile

@Suite struct RunFileOverrideTests {
  @Test("flags take the place of what the file says, the last one of a key wins")
  func overrides() throws {
    let run = try parse(
      RunFileTests.example, "training.epochs=1", "training.epochs=7", "training.learning_rate=",
      "adapter.deep=no",
      "adapter.virtual_tokens=50", "tasks.sentiment.head.labels=[a, b]", "tasks.0.data.train=new.tsv",
      "tasks.0.data.text_pair=a=b # c", "base.model=./m", "selector.plugin=top-k", "output=out",
      "adapter.q=\"5\"")
    #expect(run.training.epochs == 7)
    #expect(run.training.learningRate == nil)
    #expect(run.adapters[0].hyperparameters["deep"]?.value == .string("no"))
    #expect(run.adapters[0].hyperparameters["q"]?.value == .string("5"))
    #expect(run.adapters[0].hyperparameters["virtual_tokens"] == Located(.int(50), .flag("")))
    #expect(
      run.adapters[0].hyperparameters["virtual_tokens"]?.place == .flag("--set adapter.virtual_tokens=50"))
    #expect(run.tasks[0].head.hyperparameters["labels"]?.value == .strings(["a", "b"]))
    #expect(run.tasks[0].data.textPair?.value == "a=b # c")
    #expect(run.selector?.plugin.value == "top-k")
    // What a flag names is seen from the current folder, not from the run file's.
    #expect(run.tasks[0].data.train.value == "/project/new.tsv")
    #expect(run.base.model.value == "/project/m")
    #expect(run.output == "/project/out")
  }

  @Test("a flag reaches into the short form of a section")
  func shorthand() throws {
    let text = "base: {model: m}\nadapter: prompt-tuning\ntasks: [{head: x, data: {train: t}}]"
    let run = try parse(text, "adapter.virtual_tokens=5", "training.seed=1", "tasks.0.head.dropout=0.5")
    #expect(run.adapters[0].plugin.value == "prompt-tuning")
    #expect(run.adapters[0].hyperparameters["virtual_tokens"]?.value == .int(5))
    #expect(run.tasks[0].head.hyperparameters["dropout"]?.value == .double(0.5))
    #expect(run.training.seed == 1)
  }

  @Test("flags name adapters, and what the file says of those that stay is kept")
  func adapters() throws {
    let list = "adapters: [{plugin: lora, r: 4}, prefix-tuning]"
    func names(_ file: String, _ adapters: [String]) throws -> [String] {
      let run = try RunSpec.parse(
        "base: {model: m}\n\(file)\ntasks: [{head: x, data: {train: t}}]", file: "run.yaml",
        overrides: adapters.isEmpty ? [] : [RunOverride(adapters: adapters)])
      return run.adapters.map { adapter in
        adapter.plugin.value + adapter.hyperparameters.map { " \($0): \($1.value)" }.joined()
      }
    }
    #expect(try names(list, []) == ["lora r: 4", "prefix-tuning"])
    #expect(try names(list, ["ia3", "lora"]) == ["ia3", "lora r: 4"])
    #expect(try names(list, ["lora"]) == ["lora r: 4"])
    #expect(try names(list, ["ia3"]) == ["ia3"])
    #expect(
      try names("adapter: {plugin: lora, r: 4}", ["prefix-tuning", "lora"]) == [
        "prefix-tuning", "lora r: 4",
      ])
    #expect(try names("adapter: {plugin: lora, r: 4}", ["ia3"]) == ["ia3 r: 4"])
    let text = "base: {model: m}\nadapters: [lora, prefix-tuning]\ntasks: [{head: x, data: {train: t}}]"
    let run = try parse(text, "adapters.lora.r=2", "adapters.1.form=hidden")
    #expect(run.adapters[0].hyperparameters["r"]?.value == .int(2))
    #expect(run.adapters[1].hyperparameters["form"]?.value == .string("hidden"))
    #expect(try RunSpec.parse(run.yaml(), file: "run.yaml").yaml() == run.yaml())
  }

  @Test("a flag of its own is named in errors")
  func ownFlag() throws {
    let flag = RunOverride(path: ["training", "epochs"], text: "x", flag: "--epochs x")
    let error = #expect(throws: RunFileError.self) {
      _ = try RunSpec.parse(RunFileTests.example, file: "run.yaml", overrides: [flag])
    }
    #expect(error?.description == "--epochs x: 'epochs' should be an integer but is the text 'x'")
  }

  @Test(
    "a wrong flag is named with what is wrong",
    arguments: [
      ("training.bach_size=8", "unknown key 'bach_size' in training; did you mean 'batch_size'?"),
      ("training.epochs=0", "'epochs' must be at least 1 and at most 1000000000 but is 0"),
      ("training.epochs", "expected KEY=VALUE, as in training.epochs=5"),
      ("training..epochs=1", "expected KEY=VALUE, as in training.epochs=5"),
      ("=1", "expected KEY=VALUE, as in training.epochs=5"),
      ("tasks.topic.weight=2", "there is no 'topic' in tasks; there are 'sentiment'"),
      ("tasks.1.weight=2", "there is no '1' in tasks; there are 'sentiment'"),
      ("output.x=2", "'output' is the text 'runs/sentiment' and has no 'x'"),
      (
        "adapter.x=[1",
        "this is not YAML: did not find expected ',' or ']', while parsing a flow sequence from 1:1"
      ),
      ("adapter=[1]", "'adapter' should be a mapping but is a list"),
      ("tasks=", "the run file has no 'tasks'"),
    ])
  func mistakes(flag: String, expected: String) {
    let error = #expect(throws: RunFileError.self) { _ = try parse(RunFileTests.example, flag) }
    let place = flag == "tasks=" ? "jobs/run.yaml:2" : "--set \(flag)"
    #expect(error?.description == "\(place): \(expected)")
  }
}
