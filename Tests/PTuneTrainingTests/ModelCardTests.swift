import Foundation
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneTraining

@Suite("The adapter's model card") struct ModelCardTests {
  private static func card(_ folder: String) throws -> String {
    try String(contentsOfFile: "\(folder)/README.md", encoding: .utf8)
  }

  @Test("has front matter, results, and usage for ptune and PEFT")
  func content() throws {
    let tiny = try TinyRun()
    let head = ["tasks.0.head.pooling=first", "tasks.0.head.base_pooler=true"]
    let (result, _) = try tiny.train(
      try tiny.spec(adapter: "{plugin: prompt-tuning, virtual_tokens: 3}", ["training.max_steps=2"] + head))
    let text = try Self.card(result.adapter)
    let parts = text.components(separatedBy: "---\n")
    #expect(parts.count == 3 && parts[0].isEmpty)
    for line in [
      "library_name: peft", "pipeline_tag: text-classification", "- \"prompt-tuning\"",
      "- matthews_correlation",
      "    - type: accuracy", "      name: \"dev.tsv\"", "      split: test",
    ] { #expect(parts[1].contains(line + "\n"), "\(line)") }
    // A folder of the trainer's machine is no name on the hub.
    #expect(!text.contains(tiny.folder) && !text.contains(Workbench.fixtures))
    #expect(parts[2].contains("ptune predict --base-model tiny-bert --adapter FOLDER --text"))
    #expect(parts[2].contains("PeftModel.from_pretrained(base, \"FOLDER\")"))

    let (own, _) = try tiny.train(
      try tiny.spec(adapter: "{plugin: prompt-tuning, virtual_tokens: 3}", ["training.max_steps=2"]))
    let other = try Self.card(own.adapter)
    #expect(other.contains("library_name: ptune\n"))
    #expect(
      other.contains("PEFT cannot express this adapter, since 'base_pooler' of the head of 'tone' is false"))
  }

  @Test("is written again by a later training, unless somebody edited it")
  func edited() throws {
    let tiny = try TinyRun()
    func train(_ steps: Int) throws -> (card: String, warnings: [String]) {
      let spec = try tiny.spec(
        adapter: "{plugin: prompt-tuning, virtual_tokens: 2}", ["training.max_steps=\(steps)"])
      let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
      var warnings: [String] = []
      let result = try Trainer(run) { if case .warning(let text) = $0 { warnings.append(text) } }
        .train(resume: false) { false }
      return (try Self.card(result.adapter), warnings)
    }
    let first = try train(1)
    #expect(try train(2).card != first.card)
    let path = tiny.path("out/adapter/README.md")
    let mine = try train(2).card.replacing("# out", with: "# Mine")
    try AtomicFile.write(mine, to: path)
    let kept = try train(1)
    #expect(kept.card == mine)
    #expect(kept.warnings == ["README.md in \(tiny.path("out/adapter")) was edited and stays as it is"])
  }
}
