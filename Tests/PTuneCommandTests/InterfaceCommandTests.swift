import Foundation
import PTuneFormats
import Testing

/// What interface 1.1 adds for heads and parameters, through a plugin in C.
@Suite("Plugins of interface 1.1") struct InterfaceCommandTests {
  private let desk: Desk

  init() throws {
    desk = try Desk()
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let root = folder.deletingLastPathComponent().deletingLastPathComponent().path
    let built = try desk.shell(
      "umask 022; mkdir plugins && cc -std=c11 -Wall -Wextra -Werror -fPIC -shared "
        + "-I '\(root)/Sources/CPTune/include' -o plugins/libptune_unlabelled.so "
        + "'\(folder.path)/Plugins/unlabelled.c'")
    try #require(built.status == 0, "\(built.errors)")
    for name in ["train", "dev", "test"] {
      let texts = try desk.text("\(name).tsv").split(separator: "\n").map { $0.split(separator: "\t")[0] }
      try desk.write("\(name).tsv", texts.joined(separator: "\n") + "\n")
    }
    try desk.write(
      "run.yaml",
      Desk.run.replacingOccurrences(of: "sequence-classification, dropout: 0", with: "unlabelled")
        .replacingOccurrences(of: "log_every: 5", with: "log_every: 5, schedule: constant, warmup_ratio: 0"))
  }

  private func train(_ output: String, _ arguments: String...) throws {
    let outcome = try desk.ptune(
      ["train", "run.yaml", "--plugin-path", "plugins", "--quiet", "--output", output] + arguments)
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  private func weights(_ output: String, _ name: String) throws -> [Float] {
    try SafetensorsFile("\(desk.folder)/\(output)/adapter/adapter_model.safetensors").floats(
      "head.tone.\(name)"
    )
    .array
  }

  @Test("a head that reads texts without labels trains, evaluates and predicts on files that have none")
  func unlabelled() throws {
    try train("out", "--max-steps", "3")
    let evaluated = try desk.ptune(
      "eval", "--adapter", "out/adapter", "--plugin-path", "plugins", "--data", "test.tsv", "--json")
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    #expect(evaluated.output.contains(#""texts": 16"#), "\(evaluated.output)")
    let predicted = try desk.ptune(
      "predict", "--adapter", "out/adapter", "--plugin-path", "plugins", "--text", "a good film")
    #expect(predicted.output.contains(#""read""#), "\(predicted.output)\(predicted.errors)")
  }

  @Test("a parameter learns at the run's rate times its factor, and decays by its own weight decay")
  func parameters() throws {
    try train("out", "--max-steps", "1", "--set", "tasks.tone.head.decay=0.5")
    // The first step of AdamW is the rate, in the direction of the gradient.
    let (fast, slow) = (try weights("out", "fast"), try weights("out", "slow"))
    for (fast, slow) in zip(fast, slow) {
      let (whole, tenth) = (1 - 0.01 * 0.01 - fast, 1 - 0.001 * 0.5 - slow)
      #expect(abs(abs(whole) - 0.01) < 1e-5)
      #expect(abs(tenth - whole / 10) < 1e-5)
    }
  }

  @Test("a model_type with '_' finds the base model whose name has '-' there")
  func underscores() throws {
    let abi = URL(fileURLWithPath: Desk.fixtures).deletingLastPathComponent().path + "/ABI/1.0"
    let built = try desk.shell(
      "umask 022; cc -std=c11 -fPIC -shared -I '\(abi)' -o plugins/libptune_first.so '\(abi)/first.c'")
    try #require(built.status == 0, "\(built.errors)")
    try desk.model("first") { $0.replacingOccurrences(of: #""bert""#, with: #""first_model""#) }
    let run = try desk.text("run.yaml").replacingOccurrences(of: "model: model", with: "model: first")
    try desk.write("run.yaml", run)
    // The model has one layer.
    try train("out", "--max-steps", "1", "--adapter", "prompt-tuning")
    let predicted = try desk.ptune(
      "predict", "--adapter", "out/adapter", "--plugin-path", "plugins", "--text", "a good film")
    #expect(predicted.output.contains(#""read""#), "\(predicted.output)\(predicted.errors)")
  }

  @Test(
    "a factor or a decay out of range is refused by the parameter's name", arguments: ["slowness", "decay"])
  func wrong(_ name: String) throws {
    let outcome = try desk.ptune(
      "train", "run.yaml", "--plugin-path", "plugins", "--set", "tasks.tone.head.\(name)=-1.0")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("'slow'"), "\(outcome.errors)")
    #expect(outcome.errors.contains("-1.0"), "\(outcome.errors)")
  }

  @Test("a resumed training ends with the same bits", arguments: ["adamw", "adafactor"])
  func resume(_ optimizer: String) throws {
    // Without validation data the last adapter is the result, not the best one.
    try desk.write(
      "run.yaml", try desk.text("run.yaml").replacingOccurrences(of: "validation: dev.tsv, ", with: ""))
    let settings = ["--set", "training.optimizer=\(optimizer)", "--set", "training.checkpoint_every=2"]
    func train(_ output: String, _ further: String...) throws {
      let outcome = try desk.ptune(
        ["train", "run.yaml", "--plugin-path", "plugins", "--quiet", "--output", output] + settings + further)
      try #require(outcome.status == 0, "\(outcome.errors)")
    }
    try train("whole", "--max-steps", "4")
    try train("parts", "--max-steps", "2")
    try train("parts", "--max-steps", "4", "--resume", "--accept-changes")
    for name in ["fast", "slow"] { #expect(try weights("parts", name) == weights("whole", name)) }
    #expect(try weights("whole", "slow") != weights("whole", "fast"))
  }
}
