import PTuneEngine
import PTuneFormats
import PTuneRunFile
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneTraining

@Suite("The best adapter") struct BestAdapterTests {
  private func reports(_ values: Double..., higherIsBetter: Bool) -> [EvaluationReport] {
    values.enumerated().map { index, value in
      EvaluationReport(
        task: "task \(index)", examples: 10,
        metrics: [.init(name: "metric", value: value, higherIsBetter: higherIsBetter)], seconds: 1)
    }
  }

  @Test("NaN is worse than any number, infinity included", arguments: [true, false], BestBy.allCases)
  func worst(higherIsBetter: Bool, by: BestBy) {
    for number in [-1.0, 0, 3, .infinity] {
      let (one, none) = (
        reports(number, higherIsBetter: higherIsBetter), reports(.nan, higherIsBetter: higherIsBetter)
      )
      #expect(by.isBetter(one, than: none))
      #expect(!by.isBetter(none, than: one))
      #expect(!by.isBetter(none, than: none))
    }
    let (two, half) = (
      reports(0.5, 0.5, higherIsBetter: higherIsBetter), reports(0.9, .nan, higherIsBetter: higherIsBetter)
    )
    #expect(by.isBetter(two, than: half))
    #expect(!by.isBetter(half, than: two))
  }

  @Test("a checkpoint keeps metrics that are not numbers", arguments: [Double.nan, .infinity, 0.25])
  func keepsNaN(value: Double) throws {
    let tiny = try TinyRun(rows: 8)
    let spec = try tiny.spec(adapter: "prompt-tuning")
    let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
    let optimizer = spec.training.optimizer.make(run.composition.model.trainedParameters, spec.training)
    var progress = TrainingProgress()
    progress.best = reports(value, higherIsBetter: false)
    let store = CheckpointStore(folder: tiny.path("checkpoints"), keep: 1)
    try store.write(TrainingCheckpoint(progress, optimizer: optimizer, model: run.composition.model))
    let restored = try #require(try store.latest())
      .restore(optimizer: optimizer, model: run.composition.model)
    let read = try #require(restored.best.first?.primary?.value)
    #expect(read == value || read.isNaN && value.isNaN)
  }
}
