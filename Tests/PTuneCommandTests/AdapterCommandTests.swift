import Foundation
import PTuneFormats
import Testing

@Suite("ptune eval and predict") struct AdapterCommandTests {
  /// A desk with a trained adapter.
  private func trained() throws -> Desk {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml", "--quiet", "--max-steps", "4")
    try #require(result.status == 0, "\(result.errors)")
    return desk
  }

  @Test("eval measures what training measured")
  func evaluate() throws {
    let desk = try Desk()
    let document = try desk.ptune("train", "run.yaml", "--json").document()
    let arguments = ["eval", "--adapter", "out/adapter", "--data", "test.tsv"]
    let evaluation = try desk.ptune(arguments + ["--json"])
    #expect(evaluation.errors == "")
    let measured = try evaluation.document()
    #expect(
      measured.objectValue?.keys == [
        "adapter", "base_model", "data", "task", "examples", "metrics", "seconds", "examples_per_second",
        "peak_memory_bytes", "plugins",
      ])
    #expect(measured["metrics"] == document["metrics"]?["test"])
    #expect(measured["examples"] == 16)
    let table = try desk.ptune(arguments).output.split(separator: "\n").map(String.init)
    #expect(table[0].hasPrefix("p-tuning-v2 on FOLDER/model, task tone: 16 examples in "))
    #expect(table[1] == "METRIC          VALUE")
    #expect(table[5] == "majority_class  0.5000")
  }

  @Test("eval of a pool tells which entries were used")
  func selection() throws {
    let desk = try Desk()
    let trained = try desk.ptune(
      "train", "run.yaml", "--quiet", "--max-steps", "2", "--adapter", "prompt-pool", "--set",
      "selector.plugin=attention", "--set", "adapter.pool_size=3", "--set", "adapter.virtual_tokens=2")
    try #require(trained.status == 0, "\(trained.errors)")
    let result = try desk.ptune("eval", "--adapter", "out/adapter", "--data", "test.tsv", "--json")
    let selection = try #require(try result.document()["selection"])
    #expect(selection.objectValue?.keys == ["examples", "chosen", "mean_weight", "labels"])
    #expect(selection["examples"] == 16)
    #expect(selection["chosen"]?.arrayValue?.compactMap(\.intValue).reduce(0, +) == 16)
  }

  @Test("eval takes columns by other names and files without a header")
  func columns() throws {
    let desk = try trained()
    let lines = try desk.text("test.tsv").split(separator: "\n").dropFirst()
    let swapped = lines.map { $0.split(separator: "\t").reversed().joined(separator: "\t") }
    try desk.write("swapped.data", swapped.joined(separator: "\n"))
    let result = try desk.ptune(
      "eval", "--adapter", "out/adapter", "--data", "swapped.data", "--format", "tsv", "--no-header",
      "--text", "2",
      "--label", "1", "--json")
    let plain = try desk.ptune("eval", "--adapter", "out/adapter", "--data", "test.tsv", "--json")
    #expect(try result.document()["metrics"] == plain.document()["metrics"])
  }

  @Test("adapters train together, and are switched off one by one")
  func composed() throws {
    let desk = try Desk()
    let trained = try desk.ptune(
      "train", "run.yaml", "--max-steps", "4", "--adapter", "p-tuning-v2", "--adapter", "lora", "--set",
      "adapters.lora.r=2")
    try #require(trained.status == 0, "\(trained.errors)")
    #expect(trained.output.contains("adapter   p-tuning-v2 + lora, "))
    #expect(try desk.text("out/run.yaml").contains("  - plugin: lora\n    r: 2\n"))
    let arguments = ["eval", "--adapter", "out/adapter", "--data", "test.tsv"]
    for (flags, names) in [
      ([], "p-tuning-v2 + lora"), (["--without", "lora"], "p-tuning-v2"),
      (["--without", "lora", "--without", "p-tuning-v2"], "no adapter"),
    ] {
      let result = try desk.ptune(arguments + flags)
      #expect(
        result.output.hasPrefix("\(names) on FOLDER/model, task tone: 16 examples in "), "\(result.errors)")
    }
    let unknown = try desk.ptune(arguments + ["--without", "ia3"])
    #expect(unknown.status == 1)
    #expect(
      unknown.errors == "error: out/adapter has no adapter 'ia3'; it has p-tuning-v2, lora\n"
        + "help: name one that it has with --without\n")
  }

  @Test("predict writes a line of JSON per row, to standard output or whole into a file")
  func predict() throws {
    let desk = try trained()
    let rows = try desk.ptune("predict", "--adapter", "out/adapter", "--input", "test.tsv", "--scores")
    #expect(rows.errors == "")
    let lines = rows.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 16)
    for line in lines {
      let value = try JSONValue.parse(line)
      #expect(value.objectValue?.keys == ["label", "probability", "probabilities", "scores"])
      #expect(value["scores"]?.arrayValue?.count == 2)
    }
    let written = try desk.ptune(
      "predict", "--adapter", "out/adapter", "--input", "test.tsv", "--scores", "--output", "answers.jsonl")
    #expect(written.output == "")
    #expect(try desk.text("answers.jsonl") == rows.output)
  }

  @Test("predict reads standard input as JSON lines or plain text")
  func standardInput() throws {
    let desk = try trained()
    let arguments = ["predict", "--adapter", "out/adapter", "--input", "-"]
    let json = try desk.ptune(arguments, input: "{\"id\": \"a\", \"text\": \"good film\"}\n")
    #expect(json.output.hasPrefix("{\"id\": \"a\", \"label\": "))
    let text = try desk.ptune(arguments + ["--format", "text"], input: "good film\n")
    let one = try desk.ptune("predict", "--adapter", "out/adapter", "--text", "good film")
    #expect(text.output == one.output)
    #expect(
      json.output == one.output.replacingOccurrences(of: "{\"label\"", with: "{\"id\": \"a\", \"label\""))
  }

  @Test("an error in a row leaves the lines before it whole, and no file")
  func badRow() throws {
    let desk = try trained()
    let input = "{\"text\": \"good\"}\n{\"txt\": \"bad\"}\n"
    let arguments = ["predict", "--adapter", "out/adapter", "--input", "-"]
    let result = try desk.ptune(arguments, input: input)
    #expect(result.status == 1)
    #expect(result.output.split(separator: "\n").count == 1)
    #expect(
      result.errors == """
        error: standard input:2: no column "sentence"; it has "txt"
        help: name one of these columns, or add the column to the file

        """)
    #expect(try desk.ptune(arguments + ["--output", "answers.jsonl"], input: input).status == 1)
    #expect(!FileSystem.exists(desk.folder + "/answers.jsonl"))
    #expect(try FileSystem.entries(of: desk.folder).allSatisfy { !$0.hasSuffix(".partial") })
  }

  @Test(
    "an adapter that does not fit is refused with the way out",
    arguments: [
      (
        ["--base-model", "\(Desk.fixtures)/tiny-bert-classifier"],
        """
        error: out/adapter was trained on FOLDER/model, but \(Desk.fixtures)/tiny-bert-classifier has other weights
        help: name the base model on which it was trained with --base-model
        """
      ),
      (
        ["--task", "mood"],
        "error: there is no task 'mood'; the adapter has tone\nhelp: name one of them with --task"
      ),
      (
        ["--adapter", "out"],
        """
        error: out is not an adapter folder: it has no adapter_config.json; its folder adapter has one, so name that
        help: give the folder that 'ptune train' wrote, OUTPUT/adapter, or one that PEFT saved
        """
      ),
      (
        ["--adapter", "out/adaptor", "--offline"],
        """
        error: out/adaptor is not an adapter folder: there is no such folder, and no such name in the cache
        help: did you mean 'out/adapter'?
        """
      ),
    ])
  func refused(arguments: [String], message: String) throws {
    let desk = try trained()
    let result = try desk.ptune(["predict", "--adapter", "out/adapter", "--text", "good"] + arguments)
    #expect(result.status == 1)
    #expect(result.output == "")
    #expect(result.errors == message + "\n")
  }

  @Test("an adapter whose base model moved says so, and works with its new place")
  func moved() throws {
    let desk = try trained()
    let arguments = ["predict", "--adapter", "out/adapter", "--text", "good"]
    let before = try desk.ptune(arguments)
    try FileManager.default.moveItem(atPath: desk.folder + "/model", toPath: desk.folder + "/moved")
    #expect(
      try desk.ptune(arguments).errors == """
        error: the base model of out/adapter is missing: there is no model at 'FOLDER/model'
        help: give its present folder with --base-model

        """)
    #expect(try desk.ptune(arguments + ["--base-model", "moved"]).output == before.output)
  }

  @Test("an adapter trained on pairs of texts does not predict one alone")
  func pairs() throws {
    let desk = try Desk()
    try desk.write("pairs.tsv", "a\tb\tlabel\ngood\tfilm\tyes\nbad\tfilm\tno\n")
    let data = "{train: pairs.tsv, text: a, text_pair: b}"
    try desk.write(
      "pairs.yaml",
      Desk.run.replacingOccurrences(
        of: "{train: train.tsv, validation: dev.tsv, test: test.tsv, text: sentence}", with: data))
    #expect(try desk.ptune("train", "pairs.yaml", "--max-steps", "1").status == 0)
    let alone = try desk.ptune("predict", "--adapter", "out/adapter", "--text", "good")
    #expect(alone.status == 1)
    #expect(
      alone.errors == """
        error: the adapter was trained on pairs of texts, and there is only one
        help: give the second one with --text-pair

        """)
    let both = try desk.ptune("predict", "--adapter", "out/adapter", "--text", "good", "--text-pair", "film")
    #expect(both.status == 0)
  }

  @Test("damaged adapter files are named")
  func damaged() throws {
    let desk = try trained()
    let arguments = ["predict", "--adapter", "out/adapter", "--text", "good"]
    let weights = try desk.bytes("out/adapter/adapter_model.safetensors")
    try desk.write("out/adapter/adapter_model.safetensors", bytes: Array(weights.prefix(weights.count - 4)))
    #expect(
      try desk.ptune(arguments).errors == """
        error: out/adapter/adapter_model.safetensors: tensor 'prompt_embeddings' ends at byte 2312 of the data, \
        which has 2308
        help: the file is truncated; fetch or copy it again

        """)
    try desk.write("out/adapter/adapter_config.json", "{}")
    #expect(
      try desk.ptune(arguments).errors == """
        error: out/adapter is not an adapter folder: adapter_config.json has neither the key 'ptune' nor 'peft_type'
        help: give the folder that 'ptune train' wrote, OUTPUT/adapter, or one that PEFT saved

        """)
  }

  @Test(
    "wrong usage exits with 2",
    arguments: [
      (["predict", "--adapter", "a"], "Give either --text or --input"),
      (["predict", "--adapter", "a", "--text", "x", "--input", "y"], "Give either --text or --input"),
      (["predict", "--adapter", "a", "--input", "y", "--text-pair", "x"], "--text-pair needs --text"),
      (
        ["eval", "--adapter", "a", "--data", "d", "--batch-size", "0"],
        "--batch-size has to be within 1 and 1048576"
      ),
      (["eval", "--adapter", "a"], "Missing expected argument '--data <file>'"),
      (["train"], "Missing expected argument '<run.yaml>'"),
    ])
  func usage(arguments: [String], message: String) throws {
    let result = try Desk().ptune(arguments)
    #expect(result.status == 2)
    #expect(result.errors.split(separator: "\n").first == "error: \(message)")
  }
}
