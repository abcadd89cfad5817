import PTuneFormats
import PTunePlugins
import Testing

@testable import PTuneComposition
@testable import PTuneRunFile

@Suite struct RunFileTests {
  static let example = """
    # A comment.
    base:    {plugin: bert, model: sentence-transformers/all-MiniLM-L6-v2}
    adapter: {plugin: p-tuning-v2, virtual_tokens: 20, rate: 5e-3, deep: true, init: vocabulary}
    tasks:
      - name: sentiment
        head: {plugin: sequence-classification, labels: [no, "yes", 3]}
        data: {train: train.tsv, validation: ../dev.tsv, text: sentence, label: label}
    training: {epochs: 5, learning_rate: 5.0e-3, evaluate_every: 50}
    output: runs/sentiment
    """

  @Test("a run file reads as what it says")
  func reads() throws {
    let run = try parse(Self.example)
    #expect(run.base.plugin?.value == "bert")
    #expect(run.base.model.value == "sentence-transformers/all-MiniLM-L6-v2")
    #expect(run.adapters[0].plugin.value == "p-tuning-v2")
    #expect(
      run.adapters[0].hyperparameters.mapValues(\.value) == [
        "virtual_tokens": .int(20), "rate": .double(0.005), "deep": .bool(true),
        "init": .string("vocabulary"),
      ])
    #expect(run.adapters[0].hyperparameters["rate"]?.place == .file("jobs/run.yaml", line: 3))
    #expect(run.selector == nil)
    let task = try #require(run.tasks.first)
    #expect(task.name == "sentiment")
    #expect(task.head.hyperparameters["labels"]?.value == .strings(["no", "yes", "3"]))
    #expect(task.data.train.value == "/project/jobs/train.tsv")
    #expect(task.data.validation?.value == "/project/dev.tsv")
    #expect(task.data.test == nil)
    #expect(task.data.text.value == "sentence")
    #expect(run.output == "/project/runs/sentiment")
    var training = TrainingOptions()
    training.epochs = 5
    training.learningRate = 5e-3
    training.evaluateEvery = .steps(50)
    #expect(run.training == training)
  }

  @Test("a mapping takes over another's members, its own and the first ones winning")
  func mergeKeys() throws {
    let run = try parse(
      """
      base: {model: ./m}
      adapter: {plugin: prompt-tuning, virtual_tokens: 3}
      tasks:
      - name: one
        head: &head {plugin: sequence-classification, dropout: 0.5, pooling: cls}
        data: &data {train: /t.csv, text: sentence, label: tone}
      - name: two
        head: {<<: [{dropout: 0.25}, *head], pooling: mean}
        data:
          <<: *data
          train: /u.csv
      """)
    let head = run.tasks[1].head.hyperparameters.mapValues(\.value)
    #expect(head == ["dropout": .double(0.25), "pooling": .string("mean")])
    #expect(run.tasks[1].head.plugin.value == "sequence-classification")
    #expect(run.tasks[1].data.train.value == "/u.csv")
    #expect(run.tasks[1].data.label.value == "tone")
    let error = #expect(throws: RunFileError.self) { try parse("base: {<<: 3, model: m}") }
    #expect(error?.description.contains("'<<' should be a mapping, or a list of mappings") == true)
  }

  @Test("a byte order mark and carriage returns change nothing")
  func windows() throws {
    let plain = try parse(Self.example)
    #expect(try parse("\u{FEFF}" + Self.example.replacing("\n", with: "\r\n")).tasks == plain.tasks)
  }

  @Test("the shortest run file has sensible defaults")
  func defaults() throws {
    let run = try parse(
      "base: {model: ./m}\nadapter: prompt-tuning\ntasks:\n- head: token-classification\n  data: {train: /t.csv}"
    )
    #expect(run.base.plugin == nil)
    #expect(run.base.model.value == "/project/jobs/m")
    #expect(run.adapters == [ComponentSpec(plugin: located("prompt-tuning"), hyperparameters: [:])])
    #expect(run.tasks[0].name == "task")
    #expect(run.tasks[0].weight == 1)
    #expect(run.tasks[0].data.train.value == "/t.csv")
    #expect(run.tasks[0].data.text.value == "text")
    #expect(run.tasks[0].data.label.value == "label")
    #expect(run.training == TrainingOptions())
    #expect(run.output == "/project/runs/run")
  }

  @Test("every option is listed with its type and default, and reads as it is written")
  func options() throws {
    var listed = TrainingOption.all.map { "\($0.name) (\($0.type)) = \($0.defaultText ?? "none")" }
    #expect(listed.count == Mirror(reflecting: TrainingOptions()).children.count)
    listed = Array(listed.prefix(9))
    #expect(
      listed == [
        "epochs (integer, at least 1 and at most 1000000000) = 3",
        "max_steps (integer, at least 1 and at most 1000000000) = none",
        "batch_size (integer, at least 1 and at most 1048576) = 32",
        "evaluation_batch_size (integer, at least 1 and at most 1048576) = 64",
        "accumulation (integer, at least 1 and at most 1048576) = 1", "optimizer (adamw, adafactor) = adamw",
        "learning_rate (number, above 0 and at most 1000) = none",
        "schedule (linear, cosine, constant) = linear",
        "warmup_steps (integer, at least 0 and at most 1000000000) = none",
      ])
  }

  @Test(
    "Adafactor comes with the settings that prompt tuning was published with, and is written with its options"
  )
  func adafactor() throws {
    let run = try parse(Self.example, "training.optimizer=adafactor")
    #expect(run.training.schedule == .constant)
    #expect(run.training.weightDecay == 1e-5)
    #expect(run.training.learningRate == 0.005)
    let text = run.yaml()
    #expect(text.contains("decay_rate: 0.8\n") && !text.contains("beta1"))
    #expect(try RunSpec.parse(text, file: "/elsewhere/run.yaml") == run)
  }

  @Test("a resolved run is written as a run file that reads as the same run")
  func roundTrip() throws {
    var run = try parse(
      Self.example.replacing("output", with: "selector: {plugin: top-k, k: 3}\noutput"),
      "training.warmup_steps=0", "training.seed=7", "training.checkpoint_every=never",
      "base.revision=\"1.0\"",
      "adapter.odd=['#', 'a: b', '[CLS]', 'é😀', \"\\u0085\\x00\\n\", '- x', '', null, 'true', 'a b']",
      "adapter.number=1e-5", "adapter.text='0x1F'", "tasks.0.data.maximum_rows=100",
      "tasks.0.data.header=false",
      "tasks.0.data.format=tsv", "tasks.0.data.fields.answer=5", "tasks.0.data.chat_template=chatml")
    run.adapters[0].hyperparameters["inf"] = located(.double(.infinity))
    let text = run.yaml()
    #expect(try RunSpec.parse(text, file: "/elsewhere/run.yaml") == run)
    #expect(
      text == """
        base:
          plugin: bert
          model: sentence-transformers/all-MiniLM-L6-v2
          revision: "1.0"
        adapter:
          plugin: p-tuning-v2
          deep: true
          inf: .inf
          init: vocabulary
          number: 1.0e-05
          odd: ["#", "a: b", "[CLS]", "é😀", "\\u0085\\u0000\\n", "- x", "", "null", "true", "a b"]
          rate: 0.005
          text: "0x1F"
          virtual_tokens: 20
        selector:
          plugin: top-k
          k: 3
        tasks:
          - name: sentiment
            weight: 1.0
            head:
              plugin: sequence-classification
              labels: ["no", "yes", "3"]
            data:
              train: /project/jobs/train.tsv
              validation: /project/dev.tsv
              text: sentence
              label: label
              chat_template: chatml
              format: tsv
              header: false
              maximum_rows: 100
              fields:
                answer: "5"
        training:
          epochs: 5
          batch_size: 32
          evaluation_batch_size: 64
          accumulation: 1
          optimizer: adamw
          learning_rate: 0.005
          schedule: linear
          warmup_steps: 0
          weight_decay: 0.01
          beta1: 0.9
          beta2: 0.999
          epsilon: 1.0e-08
          clip_norm: 1.0
          on_divergence: stop
          skip_limit: 3
          evaluate_every: 50
          checkpoint_every: never
          keep_checkpoints: 2
          log_every: 10
          tensorboard: true
          predictions: 10000
          samples: 4
          recompute: nothing
          seed: 7
          compute: f32
        output: /project/runs/sentiment

        """)
  }

  @Test(
    "an unquoted scalar means what YAML 1.2 says, and what people mean by 1e-3",
    arguments: [
      ("", nil), ("~", nil), ("null", nil), ("true", .bool(true)), ("FALSE", .bool(false)), ("12", .int(12)),
      ("-3", .int(-3)), ("+4", .int(4)), ("0x1F", .int(31)), ("0o17", .int(15)), ("1.5", .double(1.5)),
      ("1e-3", .double(0.001)), ("5.0E+2", .double(500)), (".5", .double(0.5)), ("5.", .double(5)),
      ("-.inf", .double(-.infinity)), ("yes", .string("yes")), ("no", .string("no")), ("off", .string("off")),
      ("inf", .string("inf")), ("nan", .string("nan")), ("1.2.3", .string("1.2.3")), ("1e", .string("1e")),
      ("--1", .string("--1")), ("12 ", .string("12 ")), ("0xZZ", .string("0xZZ")),
      ("2024-01-01", .string("2024-01-01")),
      ("99999999999999999999", .double(1e20)), (".", .string(".")), ("-", .string("-")),
    ] as [(String, HyperparameterValue?)])
  func scalars(text: String, expected: HyperparameterValue?) {
    #expect(HyperparameterValue.resolve(plain: text) == expected)
  }
}

func located<Value>(_ value: Value) -> Located<Value> { Located(value, .flag("")) }

/// Reads a run file in /project/jobs from /project, with these values of `--set`.
func parse(_ text: String, _ overrides: String...) throws -> RunSpec {
  try RunSpec.parse(
    text, file: "jobs/run.yaml", overrides: overrides.map { try RunOverride(set: $0) },
    resolver: ModelResolver(environment: [:], currentFolder: "/project"), currentFolder: "/project")
}
