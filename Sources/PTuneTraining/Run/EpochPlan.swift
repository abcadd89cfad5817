import PTuneComposition
import PTuneLibc
import PTuneRunFile
import PTuneText

/// An example of a run: its task and its place among the task's training examples.
struct TaskExample: Equatable {
  let task: Int
  let index: Int
}

/// How many examples of each task a pass over the data takes, and in which batches it takes them.
///
/// A pass has as many examples as all tasks together. Where a task's share is smaller than what it has, each pass draws
/// anew; where it is larger, examples come again.
struct EpochPlanner {
  private let lengths: [[Int]]
  private let quotas: [Int]
  private let options: TrainingOptions

  /// A planner for tasks whose examples have these lengths, in tokens; a task may have none.
  init(lengths: [[Int]], _ options: TrainingOptions) {
    self.lengths = lengths
    self.options = options
    let counts = lengths.map { Double($0.count) }
    let weights = counts.map { count -> Double in
      switch options.taskSampling {
      case .proportional: count
      case .uniform: count > 0 ? 1 : 0
      case .temperature: pow(count, 1 / options.taskTemperature)
      }
    }
    let scale = counts.reduce(0, +) / max(1e-9, weights.reduce(0, +))
    quotas = weights.map { $0 > 0 ? max(1, Int(($0 * scale).rounded())) : 0 }
  }

  /// Batches of a pass.
  var batchesPerEpoch: Int {
    let counts = options.taskBatches == .mixed ? [quotas.reduce(0, +)] : quotas
    return max(1, counts.reduce(0) { $0 + ($1 + options.batchSize - 1) / options.batchSize })
  }

  /// The batches of a pass, which depend on the seed and the pass alone. Examples of a task stand together in a batch.
  func batches(epoch: Int) -> [[TaskExample]] {
    let chosen: [[Int]] = quotas.indices.map { self.chosen($0, epoch: epoch) }
    if options.taskBatches == .mixed {
      let all = chosen.enumerated().flatMap { task, examples in
        examples.map { TaskExample(task: task, index: $0) }
      }
      let plan = self.plan(all.map { lengths[$0.task][$0.index] }, stream: epoch)
      // Indices ascend with the task.
      return plan.batches.map { $0.sorted().map { all[$0] } }
    }
    var batches = chosen.enumerated().flatMap { task, examples in
      plan(examples.map { lengths[task][$0] }, stream: Self.stream(epoch, task)).batches.map {
        $0.map { TaskExample(task: task, index: examples[$0]) }
      }
    }
    // The batches of a single task are in random order already.
    if lengths.count > 1 {
      var generator = SeededGenerator(seed: UInt64(options.seed), stream: Self.orderStream(epoch))
      generator.shuffle(&batches)
    }
    return batches
  }

  private func plan(_ lengths: [Int], stream: Int) -> BatchPlan {
    .shuffled(
      lengths: lengths, batchSize: options.batchSize, seed: UInt64(options.seed), epoch: stream)
  }

  /// Which of a task's examples the pass takes; all of them in their order where it takes all.
  private func chosen(_ task: Int, epoch: Int) -> [Int] {
    let all = Array(lengths[task].indices)
    if quotas[task] == all.count { return all }
    var generator = SeededGenerator(
      seed: UInt64(options.seed), stream: ~UInt64(Self.stream(epoch, task)))
    var chosen: [Int] = []
    while chosen.count < quotas[task] {
      var turn = all
      generator.shuffle(&turn)
      chosen += turn.prefix(quotas[task] - chosen.count)
    }
    return chosen
  }

  /// Random numbers of a task's pass. The first task's are those of a run with one task.
  private static func stream(_ epoch: Int, _ task: Int) -> Int { epoch + task << 32 }
  /// Random numbers of the order of a pass's batches.
  private static func orderStream(_ epoch: Int) -> UInt64 { UInt64(epoch) + 1 << 62 }
}
