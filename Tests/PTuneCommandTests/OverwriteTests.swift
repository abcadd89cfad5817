import PTuneFormats
import Testing

@Suite("Training into a folder with an adapter") struct OverwriteTests {
  @Test("an adapter is not thrown away unasked")
  func asked() throws {
    let desk = try Desk()
    let arguments = ["train", "run.yaml", "--max-steps", "2", "--quiet", "--no-report"]
    #expect(try desk.ptune(arguments).status == 0)
    let before = try desk.bytes("out/adapter/adapter_model.safetensors")
    let again = try desk.ptune(arguments + ["--seed", "9"])
    #expect(again.status == 1)
    #expect(
      again.errors == """
        error: FOLDER/out/adapter holds a trained adapter, which a new training would replace
        help: give another folder with --output, go on with it by --resume, or throw it away with --overwrite

        """)
    #expect(try desk.bytes("out/adapter/adapter_model.safetensors") == before)
    #expect(try desk.ptune(arguments + ["--seed", "9", "--overwrite"]).status == 0)
    #expect(try desk.bytes("out/adapter/adapter_model.safetensors") != before)
    #expect(try desk.ptune(arguments + ["--resume", "--overwrite"]).status == 2)
    #expect(try desk.ptune(arguments + ["--accept-changes"]).status == 2)
  }

  @Test("a flag says what an adapter is told, as in a comparison")
  func variants() throws {
    let desk = try Desk()
    let result = try desk.ptune(
      "train", "run.yaml", "--max-steps", "1", "--quiet", "--no-report", "--adapter",
      "prompt-pool:selector=attention:pool_size=3")
    #expect(result.status == 0, "\(result.errors)")
    let config = try JSONValue.parse(try desk.text("out/adapter/adapter_config.json"))
    #expect(config["ptune"]?["selector"]?["plugin"] == "attention")
    #expect(config["ptune"]?["adapter"]?["hyperparameters"]?["pool_size"] == 3)
  }

  @Test("an option by another name says the one that there is")
  func option() throws {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml", "--lr", "1")
    #expect(result.status == 2)
    #expect(result.errors.contains("--learning-rate"))
  }

  @Test("text and label that were swapped are told, and one column for both is refused")
  func swapped() throws {
    let desk = try Desk()
    try desk.write(
      "swapped.tsv",
      "sentence\tlabel\n" + (0..<20).map { "film \($0)\t\($0 % 2 == 0 ? "good" : "bad")\n" }.joined())
    let told = try desk.ptune(
      "train", "run.yaml", "--set", "tasks.0.data.text=label", "--set", "tasks.0.data.label=sentence",
      "--set",
      "tasks.0.data.train=swapped.tsv")
    #expect(told.status == 1)
    #expect(
      told.errors.contains("help: if they were swapped: 'text: sentence' and 'label: label'"),
      "\(told.errors)")
    let same = try desk.ptune("train", "run.yaml", "--set", "tasks.0.data.label=sentence")
    #expect(same.errors.contains("'text' and 'label' are the same column, 'sentence'"))
  }
}
