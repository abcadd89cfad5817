import Foundation
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile

@Suite("Export to PEFT") struct PEFTExportTests {
  /// A head as transformers' class of each family has it, and the column of its label.
  struct Head: Sendable, CustomTestStringConvertible {
    let yaml: String
    var label = "tone"
    var testDescription: String { yaml }

    static let token = Head(yaml: "token-classification", label: "tags")
    static let answers = Head(yaml: "{plugin: extractive-qa, doc_stride: 4}", label: "answers")
    static let language = Head(yaml: "causal-lm")

    static func sequence(_ model: String, _ variant: String = "sequence-classification") -> Head {
      let settings =
        [
          "tiny-bert": "pooling: first, base_pooler: true",
          "tiny-distilbert": "pooling: first, hidden_layers: 1, activation: relu",
          "tiny-roberta": "pooling: first, hidden_layers: 1, hidden_size: 32",
        ][model] ?? "bias: false"
      let label = variant.contains("regression") ? "score" : variant.contains("multi") ? "tones" : "tone"
      return Head(yaml: "{plugin: \(variant), \(settings)}", label: label)
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let model: String
    let adapter: String
    let head: Head
    var testDescription: String { "\(adapter), \(head.yaml), \(model)" }
  }

  private static let prompt = "{plugin: prompt-tuning, virtual_tokens: 3}"
  private static let methods = [
    prompt, "{plugin: p-tuning, virtual_tokens: 3, encoder: lstm}",
    "{plugin: multitask-prompt-tuning, form: factors, virtual_tokens: 3, rank: 2}",
  ]
  private static let prefixes = [
    "{plugin: prefix-tuning, virtual_tokens: 3, reparameterization: mlp}",
    "{plugin: p-tuning-v2, virtual_tokens: 3}",
  ]

  static let cases: [Case] = {
    let models = ["tiny-bert", "tiny-distilbert", "tiny-roberta", "tiny-gpt2", "tiny-llama", "tiny-qwen2"]
    var cases = models.flatMap { model in
      (methods + (model == "tiny-distilbert" ? [] : prefixes)).map {
        Case(model: model, adapter: $0, head: .sequence(model))
      }
    }
    for model in models {
      cases.append(Case(model: model, adapter: prompt, head: .token))
      cases.append(Case(model: model, adapter: prompt, head: .sequence(model, "regression")))
    }
    for model in ["tiny-gpt2", "tiny-llama", "tiny-qwen2"] {
      cases += (methods + prefixes).map { Case(model: model, adapter: $0, head: .language) }
    }
    for model in ["tiny-roberta", "tiny-distilbert", "tiny-gpt2"] {
      cases.append(Case(model: model, adapter: prompt, head: .answers))
    }
    cases.append(
      Case(
        model: "tiny-bert", adapter: prefixes[0],
        head: .sequence("tiny-bert", "sequence-classification, multi_label: true")))
    cases.append(
      Case(
        model: "tiny-bert", adapter: prefixes[0],
        head: Head(yaml: "{plugin: sequence-classification, pooling: cls, base_pooler: true}")))
    return cases
  }()

  /// Trains some steps on a few sentences.
  ///
  /// - Parameter heads: the tasks' heads, by their names.
  static func train(
    _ tiny: TinyRun, _ model: String, _ adapter: String, _ heads: [(name: String, head: Head)],
    data: String = "", selector: String = ""
  ) throws -> AdapterRun {
    try tiny.write("rows.jsonl", SampleRows.ofEveryHead(8))
    let tasks = heads.map {
      "  - {name: \($0.name), head: \($0.head.yaml), data: {train: rows.jsonl, label: \($0.head.label)\(data)}}"
    }
    let text = """
      base: {model: "\(Workbench.fixtures)/\(model)"}
      adapter: \(adapter)
      \(selector)
      tasks:
      \(tasks.joined(separator: "\n"))
      training: {epochs: 2, batch_size: 4, checkpoint_every: never, threads: 1}
      output: \(tiny.path("out"))
      """
    let spec = try RunSpec.parse(text, file: tiny.path("run.yaml"), overrides: [])
    return try tiny.load(try tiny.train(spec).result)
  }

  /// What an adapter says of some rows of each task.
  static func lines(_ run: AdapterRun, _ tiny: TinyRun) throws -> [String] {
    let rows = [
      "{\"input_ids\": [2, 17, 40, 9, 3]}", "{\"input_ids\": [2, 61, 3], \"token_type_ids\": [0, 1, 1]}",
    ]
    let file = try tiny.write("ids.jsonl", rows.joined(separator: "\n") + "\n")
    var lines: [String] = []
    for task in run.folder.tasks.indices {
      try Predictor(run, task: task, data: run.folder.tasks.map(\.data)).predict(rowsOf: file) {
        lines.append($0.line(scores: true))
      }
    }
    return lines
  }

  static func reread(_ folder: String) throws -> AdapterRun {
    try AdapterRun(folder, baseModel: nil, threads: 2, registry: Workbench.factory().registry) {
      Issue.record("\($1)")
    }
  }

  @Test("what is written says the same when it is read, to the bit", arguments: cases)
  func same(_ item: Case) throws {
    let tiny = try TinyRun(rows: 1)
    let run = try Self.train(tiny, item.model, item.adapter, [("mood", item.head)])
    let export = try run.exportPEFT(task: nil, to: tiny.path("peft"))
    #expect(export.tasks == ["mood"] && export.warnings.isEmpty)
    let read = try Self.reread(tiny.path("peft"))
    #expect(try Self.lines(read, tiny) == Self.lines(run, tiny))
    #expect(read.folder.tasks[0].labels == run.composition.tasks[0].labels)
    #expect(read.folder.tasks[0].name == "mood")
  }

  @Test("what training writes is PEFT's where PEFT can express it, else PEFT is told why it is not")
  func trained() throws {
    let tiny = try TinyRun(rows: 1)
    let run = try Self.train(tiny, "tiny-bert", Self.prompt, [("mood", .sequence("tiny-bert"))])
    let config = try JSONValue.read("\(run.folder.path)/adapter_config.json")
    #expect(config["peft_type"] == "PROMPT_TUNING" && config["ptune"] == nil)
    #expect(
      try SafetensorsFile("\(run.folder.path)/adapter_model.safetensors").names.sorted()
        == ["base_model.classifier.bias", "base_model.classifier.weight", "prompt_embeddings"])
    #expect(run.folder.fingerprint == run.composition.checkpoint.fingerprint.weights)
    #expect(run.folder.adapters[0].hyperparameters["initialization"] == .string("sampled-vocabulary"))

    let mean = Head(yaml: "{plugin: sequence-classification, base_pooler: true, pooling: mean}")
    let own = try Self.train(tiny, "tiny-bert", Self.prompt, [("mood", mean)])
    let marked = try JSONValue.read("\(own.folder.path)/adapter_config.json")
    #expect(
      marked["peft_type"]
        == "PTUNE: PEFT cannot express this adapter, since 'pooling' of the head of 'mood' is \"mean\", and there it is \"first\""
    )
    #expect(
      try SafetensorsFile("\(own.folder.path)/adapter_model.safetensors").names.sorted()
        == ["head.mood.classifier.bias", "head.mood.classifier.weight", "prompt_embeddings"])
  }

  @Test("keys of PEFT's and ptune's that contradict each other are an error")
  func contradictions() throws {
    let tiny = try TinyRun(rows: 1)
    let run = try Self.train(tiny, "tiny-gpt2", Self.prompt, [("tale", .language)])
    let path = "\(run.folder.path)/adapter_config.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for (old, new, message) in [
      (
        "\"plugin\": \"prompt-tuning\"", "\"plugin\": \"prefix-tuning\"",
        "has the peft_type 'PROMPT_TUNING', but names the adapter 'prefix-tuning'"
      ),
      ("\"num_layers\"", "\"num_tasks\": 2, \"num_layers\"", "has 2 as 'num_tasks', but names 1 tasks"),
      ("\"format\": 1", "\"format\": 9", "has a format that this ptune does not know"),
    ] {
      try AtomicFile.write(text.replacing(old, with: new), to: path)
      let error = #expect(throws: AdapterError.self) { try Self.reread(run.folder.path) }
      #expect(
        error.map { "\($0)" } == "\(run.folder.path) is not an adapter folder: adapter_config.json \(message)"
      )
    }
  }

  /// What PEFT wrote of the same kind, on the fixtures' folder.
  @Test(
    "config and tensors have PEFT's keys, types and shapes",
    arguments: [
      ("bert-seq-prompt_tuning", "tiny-bert", methods[0]), ("bert-seq-p_tuning_mlp", "tiny-bert", methods[1]),
      ("roberta-seq-multitask", "tiny-roberta", methods[2]),
      ("bert-seq-prefix_tuning", "tiny-bert", prefixes[1]),
      ("qwen2-seq-prefix_tuning", "tiny-qwen2", prefixes[0]),
    ])
  func format(sample: String, model: String, adapter: String) throws {
    let tiny = try TinyRun(rows: 1)
    let isMultitask = sample.contains("multitask")
    let run = try Self.train(
      tiny, model, adapter.replacing("virtual_tokens: 3", with: "virtual_tokens: 2"),
      [("mood", .sequence(model))])
    _ = try run.exportPEFT(task: nil, to: tiny.path("peft"))
    let theirs = "\(Workbench.fixtures)/peft/\(sample)"
    let text = try String(contentsOfFile: tiny.path("peft/adapter_config.json"), encoding: .utf8)
    let expected = try JSONValue.read("\(theirs)/adapter_config.json").objectValue ?? JSONObject()
    let config = try JSONValue.parse(text).objectValue ?? JSONObject()
    #expect(config.keys == expected.keys)
    #expect(!text.hasSuffix("\n"))
    // Of an encoder that is folded away anything may be said; PEFT doubles the list; the tasks are three there.
    // What ptune adds is under auto_mapping, which PEFT does not look at where there is a task type.
    let free: Set = [
      "auto_mapping", "base_model_name_or_path", "modules_to_save", "encoder_hidden_size", "num_tasks",
    ]
    #expect(config["auto_mapping"]?.objectValue?.keys == ["ptune"])
    for key in expected.keys where !free.contains(key) { #expect(config[key] == expected[key], "\(key)") }
    let (own, other) = (
      try SafetensorsFile(tiny.path("peft/adapter_model.safetensors")),
      try SafetensorsFile("\(theirs)/adapter_model.safetensors")
    )
    #expect(own.names.sorted() == other.names.sorted())
    for name in own.names {
      let (shape, expected) = (own.tensor(name)?.shape, other.tensor(name)?.shape)
      // Theirs have three labels and three tasks.
      let isCounted = name.contains("prefix_task") || name.hasPrefix("base_model.")
      #expect(isCounted ? shape?.count == expected?.count : shape == expected, "\(name)")
    }
    #expect(!isMultitask || own.tensor("prefix_task_cols")?.shape == [1, 2, 2])
  }

  @Test("of several tasks one is written, or all where they have the same head")
  func tasks() throws {
    let tiny = try TinyRun(rows: 1)
    let adapter = Self.methods[2]
    let bert = Head.sequence("tiny-bert")
    let run = try Self.train(tiny, "tiny-bert", adapter, [("mood", bert), ("style", bert)])
    #expect(throws: PEFTError.self) { try run.exportPEFT(task: nil, to: tiny.path("peft")) }
    #expect(!FileSystem.exists(tiny.path("peft")))
    _ = try run.exportPEFT(task: 1, to: tiny.path("peft"))
    let read = try Self.reread(tiny.path("peft"))
    #expect(read.folder.tasks.map(\.name) == ["style"])
    #expect(try Self.lines(read, tiny) == Array(Self.lines(run, tiny).suffix(2)))

    let two = try Self.train(tiny, "tiny-gpt2", adapter, [("tale", .language), ("song", .language)])
    // Written over the other adapter.
    _ = try two.exportPEFT(task: nil, to: tiny.path("peft"))
    let both = try Self.reread(tiny.path("peft"))
    #expect(both.folder.tasks.map(\.name) == ["tale", "song"])
    #expect(try Self.lines(both, tiny) == Self.lines(two, tiny))
  }

  @Test("a template is worth a warning, as PEFT has none")
  func template() throws {
    let tiny = try TinyRun(rows: 1)
    let run = try Self.train(
      tiny, "tiny-bert", Self.prompt, [("mood", .sequence("tiny-bert"))],
      data: ", template: \"{text} it was\"")
    #expect(
      try run.exportPEFT(task: nil, to: tiny.path("peft")).warnings
        == ["PEFT has no templates: fill '{text} it was' in before the text is tokenized"])
  }

  @Test("what transformers has to be told is said")
  func loading() throws {
    let tiny = try TinyRun(rows: 1)
    func export(_ model: String, _ head: Head) throws -> PEFTExport {
      try Self.train(tiny, model, Self.prompt, [("mood", head)]).exportPEFT(
        task: nil, to: tiny.path("peft"))
    }
    // The checkpoint has a head of three labels.
    let two = try export("tiny-roberta", .sequence("tiny-roberta"))
    #expect(two.loading.modelClass == "AutoModelForSequenceClassification")
    #expect(
      two.loading.labels == 2 && two.loading.problemType == "single_label_classification"
        && two.loading.replacesHead)
    let number = try export("tiny-gpt2", .sequence("tiny-gpt2", "regression"))
    #expect(
      number.loading.labels == 1 && number.loading.problemType == "regression" && !number.loading.replacesHead
    )
    let answers = try export("tiny-llama", .answers)
    #expect(
      answers.loading.labels == 2 && answers.loading.problemType == nil && !answers.loading.replacesHead)
    #expect(
      answers.warnings == [
        "transformers' class for questions calls a llama model 'transformer' and finds none of the weights that are "
          + "called 'model.' in \(Workbench.fixtures)/tiny-llama: load them into 'base.transformer' by hand"
      ])
  }

  /// Model, adapter, heads; what is said, and the help.
  static let refused: [(String, String, [(name: String, head: Head)], selector: String, String, String)] = [
    (
      "tiny-bert", "{plugin: prompt-tuning, virtual_tokens: 3, placement: after-first}",
      [("mood", Head(yaml: "sequence-classification"))], "",
      "'placement' of prompt-tuning is \"after-first\", and there it is \"start\"; "
        + "'base_pooler' of the head of 'mood' is false, and there it is true; "
        + "'pooling' of the head of 'mood' is \"mean\", and there it is \"first\"",
      "train with --set adapter.placement=start --set tasks.0.head.base_pooler=true "
        + "--set tasks.0.head.pooling=first"
    ),
    (
      "tiny-bert", prompt,
      [("mood", Head(yaml: "{plugin: sequence-classification, pooling: cls, base_pooler: true}"))], "",
      "'pooling' of the head of 'mood' is \"cls\", and there it is \"first\"",
      "train with --set tasks.0.head.pooling=first"
    ),
    (
      "tiny-gpt2", prompt, [("mood", Head(yaml: "sequence-classification"))], "",
      "'bias' of the head of 'mood' is true, and there it is false",
      "train with --set tasks.0.head.bias=false"
    ),
    (
      "tiny-roberta", prompt,
      [
        (
          "mood",
          Head(yaml: "{plugin: regression, pooling: first, hidden_layers: 1, hidden_size: 8}", label: "score")
        )
      ], "",
      "'hidden_size' of the head of 'mood' is 8, and there it is 0",
      "train with --set tasks.0.head.hidden_size=0"
    ),
    (
      "tiny-gpt2", "{plugin: prefix-tuning, virtual_tokens: 3, form: hidden, shift_positions: false}",
      [("tale", .language)], "",
      "'shift_positions' of prefix-tuning is false, and there it is true",
      "train with --set adapter.shift_positions=true"
    ),
    (
      "tiny-gpt2", "{plugin: p-tuning-v2, virtual_tokens: 3, depth: 1}", [("tale", .language)], "",
      "'depth' of p-tuning-v2 is 1, and there it is 0", "train with --set adapter.depth=0"
    ),
    (
      "tiny-gpt2", "{plugin: prompt-pool, virtual_tokens: 3, pool_size: 2}", [("tale", .language)],
      "selector: attention", "it has no method like 'prompt-pool'",
      "keep one of its entries for all texts with --select, or train one of prompt-tuning, residual-prompt-tuning, "
        + "p-tuning, prefix-tuning, p-tuning-v2, multitask-prompt-tuning, lora, ia3 instead"
    ),
    (
      "tiny-gpt2", "{plugin: multitask-prompt-tuning, virtual_tokens: 3, pool_size: 2}",
      [("tale", .language)], "selector: attention",
      "'form' of multitask-prompt-tuning is \"pool\", and there it is \"factors\"",
      "train with --set adapter.form=factors"
    ),
    (
      "tiny-bert", prompt, [("pick", Head(yaml: "multiple-choice", label: "choice"))], "",
      "it has no task like 'multiple-choice'",
      "the heads that it has are causal-lm, extractive-qa, regression, sequence-classification, token-classification"
    ),
    (
      "tiny-bert", prompt, [("reading", .answers)], "",
      "it was trained with token types, and PEFT passes none to models that answer questions",
      "use a base model without token types, such as a RoBERTa or DistilBERT model"
    ),
    (
      "tiny-distilbert", prefixes[0], [("tags", .token)], "",
      "transformers' DistilBERT accepts no external keys and values, so PEFT cannot run PREFIX_TUNING on it",
      "train prompt-tuning or p-tuning, or use a BERT or RoBERTa model"
    ),
    (
      "tiny-roberta", methods[2], [("reading", .answers)], "",
      "PEFT cannot run MULTITASK_PROMPT_TUNING for QUESTION_ANS",
      "train prompt-tuning or prefix-tuning for this task"
    ),
    (
      "tiny-bert", prompt, [("tags", .token), ("more", .token)], "",
      "it has several tasks (tags, more), and PROMPT_TUNING has one", "name one of them with --task"
    ),
    (
      "tiny-bert", methods[2], [("tags", .token), ("mood", .sequence("tiny-bert"))], "",
      "it has one head for all tasks, and 'mood' has a different one from 'tags'",
      "name one of the tasks with --task"
    ),
    (
      "tiny-bert", methods[2], [("tags", .token), ("more", .token)], "",
      "it has one head for all tasks, and those of 'tags' and 'more' were trained separately",
      "name one of the tasks with --task"
    ),
  ]

  @Test("what PEFT cannot express is named, and what would be possible", arguments: refused.indices)
  func refusal(index: Int) throws {
    let (model, adapter, heads, selector, message, help) = Self.refused[index]
    let tiny = try TinyRun(rows: 1)
    let run = try Self.train(tiny, model, adapter, heads, selector: selector)
    let error = #expect(throws: PEFTError.self) {
      try run.exportPEFT(task: nil, to: tiny.path("peft"))
    }
    #expect(error.map { "\($0)" } == "PEFT cannot express \(run.folder.path): \(message)")
    #expect(error?.help == help)
    #expect(!FileSystem.exists(tiny.path("peft")))
  }

  @Test("folders that are something else are left alone")
  func folders() throws {
    let tiny = try TinyRun(rows: 1)
    let run = try Self.train(tiny, "tiny-gpt2", Self.prompt, [("tale", .language)])
    func message(_ run: AdapterRun, _ output: String) -> String? {
      let error = #expect(throws: (any Error).self) { try run.exportPEFT(task: nil, to: output) }
      return error.map { "\($0)" }
    }
    try FileSystem.createFolder(tiny.path("notes"))
    try tiny.write("notes/a.txt", "a")
    #expect(
      message(run, tiny.path("notes"))
        == "the folder '\(tiny.path("notes"))' contains something other than an adapter")
    #expect(message(run, tiny.path("rows.jsonl")) == "'\(tiny.path("rows.jsonl"))' is not a folder")
    let own = run.folder.path
    #expect(message(run, own) == "the folder '\(own)' contains an adapter that ptune trained")
    _ = try run.exportPEFT(task: nil, to: tiny.path("peft"))
    let theirs = "\(Workbench.fixtures)/peft/gpt2-lm-prompt_tuning"
    #expect(
      message(try Workbench.peftRun(theirs), tiny.path("more"))
        == "\(theirs) is already an adapter in PEFT's format"
    )
  }
}
