import PTuneComposition
import PTuneRunFile
import TestSupport
import Testing

@testable import PTuneTraining

@Suite("What is said of rows before training") struct RowCheckTests {
  private func examples(_ lines: String, _ settings: [String] = []) throws -> (TrainingError?, [String]) {
    let run = try TinyRun()
    let path = try run.write("train.jsonl", lines)
    let spec = try run.spec(
      adapter: "{plugin: prompt-tuning, virtual_tokens: 4}",
      [
        "base.model=\(Workbench.fixtures)/tiny-llama", "tasks.0.head=causal-lm", "tasks.0.data.text=text",
        "tasks.0.data.train=\(path)", "tasks.0.data.validation=", "tasks.0.data.test=",
      ] + settings)
    var warnings: [String] = []
    var failure: TrainingError?
    do {
      _ = try TrainingRun(spec, registry: Workbench.factory().registry) { level, text in
        if level >= 2 { warnings.append(text.replacing(run.folder + "/", with: "")) }
      }
    } catch let error as TrainingError {
      failure = error
    }
    return (failure, warnings)
  }

  @Test("rows without a token to predict are named, and a file of nothing else is refused")
  func nothing() throws {
    let (refused, _) = try examples("{\"text\": \"\"}\n{\"text\": \"\"}\n")
    guard case .nothingToPredict(_, let lines)? = refused else {
      Issue.record("\(refused as Any)")
      return
    }
    #expect(lines == [1, 2])
    let (taken, warnings) = try examples("{\"text\": \"\"}\n{\"text\": \"the film\"}\n")
    #expect(taken == nil)
    #expect(warnings == ["train.jsonl: 1 of 2 rows have no token to predict and do not count (line 1)"])
  }

  @Test("a prompt whose last tokens its completion changes is a warning with its line")
  func seam() throws {
    let rows =
      "{\"text\": \"the film\", \"rest\": \" good\"}\n{\"text\": \"the film \", \"rest\": \"good\"}\n"
    let (_, warnings) = try examples(rows, ["tasks.0.data.text_pair=rest"])
    #expect(warnings.count == 1)
    #expect(
      warnings.first?.hasPrefix(
        "train.jsonl: in 1 of 2 rows the completion changes the last tokens of its prompt (line 2)") == true)
  }
}
