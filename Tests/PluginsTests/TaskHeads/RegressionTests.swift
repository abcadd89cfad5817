import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText
import TestSupport
import Testing

@testable import PTuneComposition

@Suite("Regression") struct RegressionTests {
  private func compose() throws -> Composition {
    try Workbench.compose(
      checkpoint: "tiny-bert",
      adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
      head: ComponentChoice(plugin: "regression"))
  }

  private func measure(_ predicted: [Float], _ targets: [Float]) throws -> [EvaluationRecord.Metric] {
    let record = EvaluationRecord()
    for (number, target) in zip(predicted, targets) {
      record.add(scores: [number], columns: 1, integers: [], numbers: [target])
    }
    return try compose().model.measure(record, task: 0)
  }

  @Test("correlations equal scipy's, ties included", arguments: Workbench.cases("correlations"))
  func correlations(_ fixture: FixtureCase) throws {
    func floats(_ key: String) throws -> [Float] {
      try fixture.json.list(key).map { Float(try #require($0.doubleValue)) }
    }
    let metrics = try measure(floats("predicted"), floats("targets"))
    #expect(metrics.map(\.name) == ["pearson", "spearman", "mse"])
    #expect(metrics.map(\.higherIsBetter) == [true, true, false])
    for metric in metrics {
      let expected = try #require(fixture.json[metric.name]?.doubleValue)
      #expect(abs(metric.value - expected) < 1e-12, "\(metric.name)")
    }
  }

  @Test("a correlation with what does not vary is 0")
  func constant() throws {
    #expect(try measure([1, 1, 1], [1, 2, 3]).map(\.value) == [0, 0, 5.0 / 3])
  }

  @Test("a label that is no number is refused with file and line", arguments: ["good", "", "nan", "1e99"])
  func badLabel(_ label: String) throws {
    let composition = try compose()
    let row = TokenizedRow(
      line: 3, fields: ["label": label],
      content: .pieces(composition.tokenizer.pieces("a film"), pair: nil))
    #expect(
      throws: DataError.row(path: "a.tsv", line: 3, reason: "label '\(label)' is not a number")
    ) {
      try composition.encode(row, task: 0, path: "a.tsv")
    }
  }
}
