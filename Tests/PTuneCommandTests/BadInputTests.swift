import Foundation
import PTuneFormats
import Testing

/// Everything that users get wrong: each is an error with its place and what to do, exit status 1, and harms nothing.
@Suite("Bad input") struct BadInputTests {
  /// A mistake and what `ptune train run.yaml` says of it.
  struct Mistake: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let arguments: [String]
    let prepare: @Sendable (Desk) throws -> Void
    let message: String

    init(
      _ name: String, _ arguments: [String] = [], _ message: String,
      prepare: @escaping @Sendable (Desk) throws -> Void = { _ in }
    ) {
      testDescription = name
      self.arguments = arguments
      self.message = message
      self.prepare = prepare
    }
  }

  static let data: [Mistake] = [
    Mistake(
      "a missing text column", ["--set", "tasks.tone.data.text=txt"],
      """
      error: FOLDER/train.tsv:2: no column "txt"; it has "sentence", "label"
      help: name one of these columns, or add the column to the file
      """),
    Mistake(
      "a missing label column", ["--set", "tasks.tone.data.label=tone"],
      """
      error: FOLDER/train.tsv:2: no column "tone"; it has "sentence", "label"
      help: name one of these columns, or add the column to the file
      """),
    Mistake(
      "a label that is not in the training data", [],
      """
      error: FOLDER/dev.tsv:3: label 'odd' is not one of negative, positive
      help: correct the row, or check the columns and labels that the run names
      """
    ) { try $0.write("dev.tsv", "sentence\tlabel\ngood\tpositive\nfilm\todd\n") },
    Mistake(
      "fewer labels than in the data", ["--set", "tasks.tone.head.labels=[positive, neutral]"],
      """
      error: FOLDER/train.tsv:3: label 'negative' is not one of positive, neutral
      help: correct the row, or check the columns and labels that the run names
      """),
    Mistake(
      "only one label", [],
      """
      error: FOLDER/train.tsv holds only the label 'positive'; two or more are needed
      help: check the 'label' column of the data section
      """
    ) { try $0.write("train.tsv", "sentence\tlabel\ngood\tpositive\nfine\tpositive\n") },
    Mistake(
      "an empty file", [],
      "error: FOLDER/train.tsv is empty\nhelp: check that the file was written completely"
    ) {
      try $0.write("train.tsv", "")
    },
    Mistake(
      "a header alone", [],
      "error: FOLDER/train.tsv has a header but no rows\nhelp: check that the file was written completely"
    ) { try $0.write("train.tsv", "sentence\tlabel\n") },
    Mistake(
      "broken UTF-8", [],
      """
      error: FOLDER/train.tsv:3: byte 3 is not valid UTF-8
      help: convert the file to UTF-8: iconv -f ENCODING -t UTF-8 FILE > NEW
      """
    ) {
      try $0.write(
        "train.tsv", bytes: Array("sentence\tlabel\ngood\tpositive\nba".utf8) + [0xFF] + Array("\tx\n".utf8))
    },
    Mistake(
      "a file that is not there", ["--set", "tasks.tone.data.test=nowhere.tsv"],
      """
      error: --set tasks.tone.data.test=nowhere.tsv: cannot read FOLDER/nowhere.tsv: No such file or directory
      help: check the path and its permissions
      """),
  ]

  static let models: [Mistake] = [
    Mistake(
      "truncated weights", [],
      """
      error: FOLDER/model/model.safetensors: tensor 'embeddings.word_embeddings.weight' ends at byte 34304 of the \
      data, which has 14360
      help: the file is truncated; fetch or copy it again
      """
    ) {
      try $0.write(
        "model/model.safetensors", bytes: Array(try $0.bytes("model/model.safetensors").prefix(20_000)))
    },
    Mistake(
      "corrupt weights", [],
      """
      error: FOLDER/model/model.safetensors: the header claims to have 8030883942550761326 bytes; the format allows \
      100000000
      help: this is not a safetensors file, or it is damaged
      """
    ) { try $0.write("model/model.safetensors", "no tensors at all") },
    Mistake(
      "no weights", [],
      """
      error: the model folder 'FOLDER/model' has no model.safetensors
      help: a model folder contains config.json, model.safetensors and the tokenizer's files
      """
    ) { try FileManager.default.removeItem(atPath: $0.folder + "/model/model.safetensors") },
    Mistake(
      "a config without a field", ["--model", "other"],
      """
      error: FOLDER/other does not fit base model bert: config.json has no key 'hidden_size', which this base model \
      needs
      help: check whether the model is of another kind, or its config.json was changed
      """
    ) { try $0.model("other") { $0.replacingOccurrences(of: "hidden_size", with: "hidden_sise") } },
    Mistake(
      "a config without model_type", ["--model", "other"],
      """
      error: FOLDER/other/config.json has no model_type, so it is not clear which base model plugin fits
      help: add it to config.json, or name the plugin in the run file: 'base: {plugin: bert, model: …}'
      """
    ) { try $0.model("other") { $0.replacingOccurrences(of: "model_type", with: "type") } },
    Mistake(
      "a config of a model that no plugin is for", ["--model", "other"],
      """
      error: FOLDER/other/config.json: model_type 'qwen3' is not supported by any base model plugin
      help: there are bert, distilbert, gpt2, llama, mistral, qwen2, roberta, xlm-roberta; you can add one with \
      a plugin, see Docs/write-a-plugin.md
      """
    ) { try $0.model("other") { $0.replacingOccurrences(of: "\"bert\"", with: "\"qwen3\"") } },
    Mistake(
      "a base plugin of another architecture", ["--set", "base.plugin=roberta"],
      """
      error: FOLDER/model does not fit base model roberta: config.json: model_type 'bert' is another architecture; \
      this plugin computes roberta, xlm-roberta, camembert
      help: config.json says model_type 'bert': remove 'plugin: roberta' from the run file's 'base', or name 'bert'
      """
    ),
    Mistake(
      "a config of other shapes", ["--model", "other"],
      """
      error: FOLDER/other does not fit base model bert: tensor 'embeddings.word_embeddings.weight' of the checkpoint \
      has the shape [200, 32], not [200, 48] as config.json says
      help: check whether the model is of another kind, or its config.json was changed
      """
    ) {
      try $0.model("other") {
        $0.replacingOccurrences(of: "\"hidden_size\": 32", with: "\"hidden_size\": 48")
      }
    },
    Mistake(
      "a config of more layers", ["--model", "other"],
      """
      error: FOLDER/other does not fit base model bert: the checkpoint has no tensor \
      'encoder.layer.3.attention.self.query.weight', which this base model needs
      help: check whether the model is of another kind, or its config.json was changed
      """
    ) {
      try $0.model("other") {
        $0.replacingOccurrences(of: "\"num_hidden_layers\": 3", with: "\"num_hidden_layers\": 5")
      }
    },
    Mistake(
      "a token that the model has no row for", [],
      """
      error: FOLDER/train.tsv:3: the token 'another' has the id 200, but the base model's word embeddings have 200 rows
      help: remove the token from the text, or use the tokenizer that came with the checkpoint, or a checkpoint whose \
      word embeddings were resized for it
      """
    ) {
      // As long as no text has one, a tokenizer may have more tokens than the model.
      try $0.write("model/vocab.txt", try $0.text("model/vocab.txt") + "another\n")
      try $0.write("train.tsv", "sentence\tlabel\nthe film\tpositive\nanother film\tnegative\n")
    },
    Mistake(
      "a model that is nowhere", ["--model", "nobody/nothing"],
      """
      error: the model 'nobody/nothing' was not found; looked at:
        FOLDER/hf/hub/models--nobody--nothing
        FOLDER/cache/huggingface/hub/models--nobody--nothing
        FOLDER/.cache/huggingface/hub/models--nobody--nothing
        FOLDER/cache/ptune/models/nobody--nothing
      help: fetch it with 'ptune pull nobody/nothing', or give the path of a folder
      """),
    Mistake(
      "a head that asks for what the base model lacks",
      ["--set", "tasks.tone.head.base_pooler=true"],
      """
      error: base model bert (PLUGINS/libptune_bert.so), pooler: the checkpoint has no pooling layer (pooler.dense)
      """
    ) { try removePooler($0) },
  ]

  static let components: [Mistake] = [
    Mistake(
      "an unknown adapter", ["--adapter", "p-tunning-v2"],
      "error: there is no adapter 'p-tunning-v2'\nhelp: did you mean 'p-tuning-v2'?"),
    Mistake(
      "an unknown head", ["--set", "tasks.tone.head.plugin=ranking"],
      "error: there is no task head 'ranking'\nhelp: there are causal-lm, extractive-qa, masked-lm-verbalizer, "
        + "multiple-choice, regression, sequence-classification, token-classification"
    ),
    Mistake(
      "an unknown hyperparameter", [],
      "error: run.yaml:2: p-tuning-v2 has no hyperparameter 'virtual_tokns'\nhelp: did you mean 'virtual_tokens'?"
    ) {
      try $0.write("run.yaml", Desk.run.replacingOccurrences(of: "virtual_tokens", with: "virtual_tokns"))
    },
    Mistake(
      "a hyperparameter out of its range", ["--set", "adapter.virtual_tokens=0"],
      """
      error: --set adapter.virtual_tokens=0: 'virtual_tokens' of p-tuning-v2 is 0, which is outside [1..4096]
      help: `ptune describe p-tuning-v2` shows the values of each hyperparameter
      """),
    Mistake(
      "a hyperparameter that the base model cannot bear", ["--set", "adapter.depth=9"],
      """
      error: adapter p-tuning-v2 (PLUGINS/libptune_p_tuning_v2.so), create: depth is 9, but the base model has 3 layers
      help: `ptune describe p-tuning-v2` shows the values of each hyperparameter
      """),
    Mistake(
      "too many virtual tokens", ["--set", "adapter.virtual_tokens=63"],
      """
      error: 63 virtual tokens leave no room for text in the base model's 64 positions
      help: use fewer virtual tokens
      """),
    Mistake(
      "a key of one adapter beside several",
      ["--adapter", "ia3", "--adapter", "lora", "--set", "adapter.r=4"],
      """
      error: --adapter ia3 --adapter lora: give either 'adapter' or 'adapters', not both
      help: a key of one of several is set by its name: --set adapters.lora.r=4
      """
    ),
    Mistake(
      "an unknown key in the run file", [],
      """
      error: run.yaml:7: unknown key 'epoch' in training; did you mean 'epochs'?
      help: the keys of training are epochs, max_steps, batch_size, evaluation_batch_size, accumulation, \
      optimizer, learning_rate, schedule, warmup_steps, warmup_ratio, weight_decay, beta1, beta2, epsilon, \
      decay_rate, clip_threshold, clip_norm, on_divergence, skip_limit, explosion_factor, evaluate_every, \
      early_stopping_patience, checkpoint_every, keep_checkpoints, log_every, tensorboard, predictions, \
      samples, task_sampling, task_temperature, task_batches, task_weighting, best_by, maximum_length, \
      recompute, seed, threads, compute
      """
    ) { try $0.write("run.yaml", Desk.run.replacingOccurrences(of: "epochs", with: "epoch")) },
    Mistake(
      "no run file", [],
      """
      error: cannot open 'run.yaml': No such file or directory
      help: check the path; a relative one starts from the current folder
      """
    ) { try FileManager.default.removeItem(atPath: $0.folder + "/run.yaml") },
  ]

  static let outputs: [Mistake] = [
    Mistake(
      "an output that is a file", ["--output", "run.yaml"],
      """
      error: cannot create the folder 'FOLDER/run.yaml': File exists
      help: a file has this name; choose another folder
      """),
    Mistake(
      "an output in a file", ["--output", "run.yaml/out"],
      """
      error: cannot create the folder 'FOLDER/run.yaml/out': Not a directory
      help: there is no folder 'FOLDER/run.yaml'
      """),
    Mistake(
      "an output where nobody can write", ["--output", "/dev/fd/out"],
      """
      error: cannot create the folder '/dev/fd/out': No such file or directory
      help: nothing can be created in '/dev/fd'; choose another folder
      """),
  ]

  @Test(
    "is named, with what to do, before anything is written", arguments: data + models + components + outputs)
  func mistake(_ mistake: Mistake) throws {
    let desk = try Desk()
    try mistake.prepare(desk)
    let result = try desk.ptune(["train", "run.yaml", "--quiet"] + mistake.arguments)
    #expect(result.errors == mistake.message + "\n")
    #expect(result.output == "")
    #expect(result.status == 1)
    #expect(!FileSystem.exists(desk.folder + "/out"))
  }

  @Test(
    "a file that is no run file is named as that, with its beginning at most",
    arguments: [
      (
        "",
        "error: run.yaml:1: the run file has no 'base'\nhelp: a run file has 'base', 'adapter' and 'tasks' at least; "
          + "`ptune recommend --write run.yaml` writes one to start from\n"
      ),
      (
        "sentence\tlabel\n" + String(repeating: "a good film\tpositive\n", count: 50),
        "error: run.yaml:1: 'run file' should be a mapping but is the text 'sentence label a good film positive a good "
          + "film positive a g…'\nhelp: a run file begins with 'base:'; check whether the file is one\n"
      ),
    ])
  func noRunFile(_ text: String, _ errors: String) throws {
    let desk = try Desk()
    try desk.write("run.yaml", text)
    #expect(try desk.ptune("train", "run.yaml").errors == errors)
  }

  @Test("a negative number is out of range, not another option")
  func negative() throws {
    let desk = try Desk()
    for (arguments, error) in [
      (
        ["train", "run.yaml", "--max-steps", "-1"],
        "--max-steps -1: 'max_steps' must be at least 1 and at most 1000000000 but is -1"
      ),
      (["inspect", "a", "--nearest", "-1"], "--nearest has to be within 0 and 1000"),
      (
        ["predict", "--adapter", "a", "--text", "a", "--threads", "-1"],
        "--threads has to be within 1 and 1024"
      ),
    ] {
      #expect(try desk.ptune(arguments).errors.hasPrefix("error: \(error)\n"), "\(arguments)")
    }
  }

  @Test("a full disk leaves the adapter of the training before whole")
  func fullDisk() throws {
    let desk = try Desk()
    #expect(try desk.ptune("train", "run.yaml", "--max-steps", "2").status == 0)
    let before = try desk.bytes("out/adapter/adapter_model.safetensors")
    let result = try desk.shell("ulimit -f 2; ptune train run.yaml --quiet --overwrite --max-steps 3")
    #expect(result.status == 1)
    #expect(
      result.errors == """
        error: cannot write 'FOLDER/out/adapter/adapter_model.safetensors': File too large
        help: a limit on file sizes is in force; see 'ulimit -f'

        """)
    #expect(try desk.bytes("out/adapter/adapter_model.safetensors") == before)
    #expect(try desk.ptune("predict", "--adapter", "out/adapter", "--text", "good film").status == 0)
    let files = try FileSystem.entries(of: desk.folder + "/out/adapter")
    #expect(files == ["README.md", "adapter_config.json", "adapter_model.safetensors"])
  }

  @Test(
    "a folder that may not be written to is named", .enabled(if: geteuid() != 0, "root may write anywhere"))
  func unwritable() throws {
    let desk = try Desk()
    try FileManager.default.createDirectory(
      atPath: desk.folder + "/locked", withIntermediateDirectories: false)
    chmod(desk.folder + "/locked", 0o500)
    let result = try desk.ptune("train", "run.yaml", "--quiet", "--output", "locked")
    #expect(
      result.errors == """
        error: cannot create 'FOLDER/locked/.lock': Permission denied
        help: check who may write there: ls -ld 'FOLDER/locked'

        """)
    #expect(result.status == 1)
  }

  /// Writes the model's weights without those of the pooler.
  private static func removePooler(_ desk: Desk) throws {
    let path = desk.folder + "/model/model.safetensors"
    let file = try SafetensorsFile(path)
    let kept = try file.names.filter { !$0.hasPrefix("pooler.") }.map { name in
      TensorData(
        name: name, shape: try #require(file.tensor(name)).shape, floats: try file.floats(name).array)
    }
    try SafetensorsWriter.write(kept, metadata: [:], to: path)
  }
}
