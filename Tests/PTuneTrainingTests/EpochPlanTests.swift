import PTuneEngine
import Testing

@testable import PTuneComposition
@testable import PTuneRunFile
@testable import PTuneTraining

@Suite("Passes over several tasks") struct EpochPlanTests {
  /// Tasks of 40, 10 and no examples.
  private static let lengths = [(0..<40).map { 5 + $0 % 7 }, (0..<10).map { 3 + $0 % 4 }, []]

  private func planner(_ change: (inout TrainingOptions) -> Void) -> EpochPlanner {
    var options = TrainingOptions()
    options.batchSize = 8
    change(&options)
    return EpochPlanner(lengths: Self.lengths, options)
  }

  private func counts(_ batches: [[TaskExample]]) -> [Int] {
    (0..<3).map { task in batches.joined().count { $0.task == task } }
  }

  @Test("in proportion, a pass has every example once", arguments: TaskBatches.allCases)
  func proportional(batches kind: TaskBatches) {
    let planner = planner { $0.taskBatches = kind }
    let batches = planner.batches(epoch: 3)
    #expect(batches.count == planner.batchesPerEpoch)
    #expect(counts(batches) == [40, 10, 0])
    for (task, count) in [40, 10].enumerated() {
      #expect(
        batches.joined().filter { $0.task == task }.map(\.index).sorted() == Array(0..<count))
    }
    for batch in batches {
      #expect(batch.count <= 8)
      #expect(batch.map(\.task) == batch.map(\.task).sorted())
      if kind == .single { #expect(Set(batch.map(\.task)).count == 1) }
    }
    #expect(kind == .single || batches.contains { Set($0.map(\.task)).count == 2 })
    #expect(planner.batches(epoch: 3) == batches)
    #expect(planner.batches(epoch: 4) != batches)
  }

  @Test("evenly, tasks have as many examples each; a small one's come again, a large one's change")
  func uniform() {
    let planner = planner { $0.taskSampling = .uniform }
    let (first, second) = (planner.batches(epoch: 0), planner.batches(epoch: 1))
    #expect(counts(first) == [25, 25, 0])
    func examples(_ task: Int, _ batches: [[TaskExample]]) -> [Int] {
      batches.joined().filter { $0.task == task }.map(\.index).sorted()
    }
    #expect(Set(examples(1, first)) == Set(0..<10))
    #expect(Set(examples(0, first)).count == 25)
    #expect(examples(0, first) != examples(0, second))
    #expect(first.count == planner.batchesPerEpoch)
  }

  @Test("by temperature, shares lie between in proportion and evenly")
  func temperature() {
    let batches = planner {
      $0.taskSampling = .temperature
      $0.taskTemperature = 2
    }.batches(epoch: 0)
    // √40 : √10 is 2 : 1.
    #expect(counts(batches) == [33, 17, 0])
  }

  @Test("the best adapter is the one with the better mean of all tasks, as asked for")
  func best() {
    func reports(_ accuracy: Double, _ perplexity: Double) -> [EvaluationReport] {
      [
        EvaluationReport(
          task: "a", examples: 30,
          metrics: [EvaluationRecord.Metric(name: "accuracy", value: accuracy, higherIsBetter: true)],
          seconds: 0),
        EvaluationReport(
          task: "b", examples: 10,
          metrics: [EvaluationRecord.Metric(name: "perplexity", value: perplexity, higherIsBetter: false)],
          seconds: 0),
      ]
    }
    // Merits: 0.8 and 1/(1 + 1) = 0.5.
    #expect(BestBy.mean.score(reports(0.8, 1)) == 0.65)
    #expect(abs(BestBy.weightedMean.score(reports(0.8, 1)) - 0.725) < 1e-12)
    #expect(abs(BestBy.geometricMean.score(reports(0.8, 1)) - 0.4.squareRoot()) < 1e-12)
    #expect(BestBy.mean.isBetter(reports(0.8, 0.5), than: reports(0.8, 1)))
    #expect(!BestBy.mean.isBetter(reports(0.8, 1), than: reports(0.8, 1)))
    #expect(BestBy.mean.isBetter(reports(0, 9), than: []))
    #expect(BestBy.mean.isBetter([reports(0, 3)[1]], than: [reports(0, 4)[1]]))
  }
}
