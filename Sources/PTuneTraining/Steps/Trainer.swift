import PTuneAdapters
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneRunFile
import PTuneText

/// Trains a run: steps, evaluations, the best adapter, metrics on disk.
public final class Trainer {
  private let run: TrainingRun
  private let output: RunOutput
  private let options: TrainingOptions
  private let curve: LearningRateCurve
  private let optimizer: any Optimizer
  private let gradientStep: GradientStep
  private let batchesPerEpoch: Int
  /// Steps of the optimiser in all.
  private let totalSteps: Int
  private var progress = TrainingProgress()
  private var throughput = Throughput()
  private let planner: EpochPlanner
  private var epochPlan: (epoch: Int, batches: [[TaskExample]])?
  private let report: (TrainingEvent) throws -> Void

  private var model: Model { run.composition.model }
  private var examples: [TaskExamples] { run.examples }

  /// A trainer for a run.
  ///
  /// - Parameter report: takes what happens, as it happens.
  public init(_ run: TrainingRun, report: @escaping (TrainingEvent) throws -> Void) {
    self.run = run
    self.report = report
    output = RunOutput(run)
    options = run.spec.training
    if run.examples.count(where: { !$0.train.isEmpty }) > 1 {
      run.composition.model.setLossWeights(
        run.composition.tasks.map(\.weight), learned: options.taskWeighting == .uncertainty)
    }
    let (model, own) = (run.composition.model, options.learningRate == nil)
    let peak =
      options.learningRate ?? run.composition.recommendedLearningRate ?? Self.usualLearningRate
    optimizer = options.optimizer.make(model.trainedParameters, options)
    // Where the run says nothing, each adapter trains at the rate that it recommends.
    optimizer.rateShares = model.trainedParameters.map { parameter in
      own ? model.recommendedLearningRates[parameter.owner].map { $0 / peak } ?? 1 : 1
    }
    gradientStep = GradientStep(
      model: model, optimizer: optimizer, clipNorm: options.clipNorm, explosionFactor: options.explosionFactor
    )
    planner = EpochPlanner(lengths: run.examples.map { $0.train.map(\.tokens.count) }, options)
    batchesPerEpoch = planner.batchesPerEpoch
    let stepsPerEpoch = (batchesPerEpoch + options.accumulation - 1) / options.accumulation
    totalSteps = min(options.maxSteps ?? .max, stepsPerEpoch * options.epochs)
    curve = LearningRateCurve(
      peak: peak, options: options, totalSteps: totalSteps)
  }

  /// For an adapter that recommends none: prompts want far more than fine-tuning's 5e-5 (Lester et al. 2021,
  /// section 3.3; Liu et al. 2022, appendix B).
  static let usualLearningRate = 1e-2

  /// Trains from the beginning, or from the latest checkpoint of the output folder.
  ///
  /// - Parameters:
  ///   - resume: continue from the latest checkpoint; without one, begin.
  ///   - acceptingChanges: continue also where the run is not that of the checkpoint.
  ///   - interrupted: asked after each step; true ends the training with a checkpoint.
  /// - Throws: `FileError`, `EngineFailure` or ``TrainingError``.
  public func train(
    resume: Bool, acceptingChanges: Bool = false, interrupted: @escaping () -> Bool
  ) throws -> TrainingResult {
    model.session.isCancelled = interrupted
    let folder = run.spec.output
    try FileSystem.createFolder(folder)
    return try OutputLock.hold(folder) {
      try Leftovers.remove(in: folder)
      try AtomicFolder.removeLeftovers(of: output.adapter)
      progress =
        try output.prepare(
          resume: resume, acceptingChanges: acceptingChanges, steps: totalSteps, optimizer: optimizer,
          report: report) ?? TrainingProgress()
      // Accepted changes may have made a pass shorter.
      if progress.batch >= batchesPerEpoch { progress.startNextEpoch() }
      return try takeSteps(interrupted)
    }
  }

  private func takeSteps(_ interrupted: () -> Bool) throws -> TrainingResult {
    let log = try RunLog(
      run.spec, run.composition, learningRate: curve.peak, resumedFrom: progress.step)
    try report(.started(plan()))
    let clock = ContinuousClock()
    let start = clock.now
    let secondsBefore = progress.seconds
    var wasInterrupted = false
    while progress.step < totalSteps, !progress.isFinished {
      try step(log, clock)
      progress.seconds = secondsBefore + (clock.now - start) / .seconds(1)
      let endsEpoch = progress.batch >= batchesPerEpoch
      if endsEpoch { progress.startNextEpoch() }
      if isDue(options.evaluateEvery, endsEpoch: endsEpoch) || progress.step == totalSteps {
        try evaluate(log)
      }
      if isDue(options.checkpointEvery, endsEpoch: endsEpoch) {
        try output.checkpoint(progress, optimizer, log)
      }
      if interrupted() {
        wasInterrupted = progress.step < totalSteps
        if wasInterrupted { try output.checkpoint(progress, optimizer, log) }
        break
      }
    }
    progress.seconds = secondsBefore + (clock.now - start) / .seconds(1)
    if !wasInterrupted, options.checkpointEvery != .never { try output.checkpoint(progress, optimizer, log) }
    try log.sync()
    return try finish(log, wasInterrupted: wasInterrupted)
  }

  private func plan() -> TrainingPlan {
    TrainingPlan(
      adapter: run.composition.adapters.map(\.plugin).joined(separator: " + "),
      trainableParameters: model.trainableCount,
      baseParameters: model.baseCount, examples: examples.reduce(0) { $0 + $1.train.count },
      validationExamples: examples.reduce(0) { $0 + ($1.validation?.count ?? 0) },
      testExamples: examples.reduce(0) { $0 + ($1.test?.count ?? 0) },
      steps: totalSteps,
      learningRate: curve.peak, furtherRates: furtherRates,
      truncated: examples.reduce(0) { $0 + $1.train.count { $0.dropped > 0 } },
      maximumLength: run.composition.maximumLength, resumedFrom: progress.step)
  }

  /// The learning rates of further adapters that differ from the first one's.
  private var furtherRates: [(adapter: String, rate: Double)] {
    guard options.learningRate == nil else { return [] }
    return run.composition.adapters.dropFirst().compactMap { adapter in
      model.recommendedLearningRates[ParameterOwner.laterAdapter(adapter.plugin)].map { (adapter.plugin, $0) }
    }.filter { $0.rate != curve.peak }
  }

  // MARK: - Steps

  /// One step of the optimiser: gradients of one or more batches, clipped, and the update.
  private func step(_ log: RunLog, _ clock: ContinuousClock) throws {
    let start = clock.now
    let chosen = batches(of: progress.epoch).dropFirst(progress.batch).prefix(options.accumulation)
    let states = options.onDivergence == .skip ? model.session.states.map { ($0, Array($0.values)) } : []
    let rate = curve.rate(at: progress.step)
    let outcome = try gradientStep.take(
      chosen.lazy.map { [run, examples] indices in
        run.composition.batch(
          indices.map { (task: $0.task, example: examples[$0.task].train[$0.index]) }, training: true)
      }, learningRate: rate, after: progress.watch)
    progress.batch += chosen.count
    guard case .taken(let loss, let norm) = outcome else {
      if case .refused(let problem, let batch) = outcome {
        try leaveOut(problem, chosen[chosen.startIndex + batch], restoring: states, log)
      }
      return
    }
    progress.watch.takeGood(loss)
    progress.step += 1
    progress.loss = loss
    throughput.add(examples: chosen.reduce(0) { $0 + $1.count }, seconds: (clock.now - start) / .seconds(1))
    let step = StepReport(
      step: progress.step, steps: totalSteps, epoch: progress.pass, loss: loss, learningRate: rate,
      gradientNorm: norm, examplesPerSecond: throughput.now)
    if progress.step % options.logEvery == 0 || progress.step == totalSteps { try log.record(step) }
    try report(.step(step))
  }

  /// Ends the training because of a batch, or takes a step that changes nothing.
  ///
  /// - Parameter states: what components kept before the step.
  private func leaveOut(
    _ problem: Divergence.Problem, _ batch: [TaskExample], restoring states: [(ComponentState, [Float])],
    _ log: RunLog
  ) throws {
    for (state, values) in states { _ = state.values.update(fromContentsOf: values) }
    let divergence = Divergence(step: progress.step + 1, problem: problem, rows: rows(of: batch))
    guard options.onDivergence == .skip, progress.watch.skippedInARow < options.skipLimit else {
      if progress.bestValues.isEmpty, model.trainedParameters.allSatisfy(\.isFinite) { try keepBest([]) }
      throw DivergenceError(
        divergence: divergence, skipped: progress.watch.skippedInARow,
        kept: progress.bestValues.isEmpty ? nil : progress.bestStep)
    }
    progress.watch.skippedInARow += 1
    progress.step += 1
    try log.record(divergence, epoch: progress.pass)
    try report(.skipped(divergence))
  }

  /// Where the rows of a batch stand.
  private func rows(of batch: [TaskExample]) -> [Divergence.Rows] {
    let first = examples.count - run.spec.tasks.count
    return Set(batch.map(\.task)).sorted().flatMap { task in
      let rows = batch.filter { $0.task == task }.map { examples[task].train[$0.index] }
      return Dictionary(grouping: rows) { $0.file ?? run.spec.tasks[task - first].data.train.value }
        .sorted { $0.key < $1.key }
        .map { Divergence.Rows(file: $0.key, lines: Set($0.value.map(\.line)).sorted()) }
    }
  }

  /// The batches of a pass over the training data; the present pass's are kept.
  private func batches(of epoch: Int) -> [[TaskExample]] {
    if let known = epochPlan, known.epoch == epoch { return known.batches }
    let batches = planner.batches(epoch: epoch)
    epochPlan = (epoch, batches)
    return batches
  }

  private func isDue(_ interval: TrainingInterval, endsEpoch: Bool) -> Bool {
    switch interval {
    case .epoch: endsEpoch
    case .steps(let steps): progress.step % steps == 0
    case .never: false
    }
  }

  // MARK: - Evaluations

  /// Evaluates the validation data and keeps the adapter if it is the best so far; without validation data the
  /// latest adapter is the best.
  private func evaluate(_ log: RunLog) throws {
    let evaluations = try evaluate(examples.map(\.validation))
    if evaluations.isEmpty { return try keepBest([]) }
    let isBest = options.bestBy.isBetter(evaluations, than: progress.best)
    for evaluation in evaluations {
      try log.record(evaluation, step: progress.step, epoch: progress.pass)
    }
    try report(.evaluated(evaluations, step: progress.step, best: isBest))
    if isBest {
      try keepBest(evaluations)
    } else if let patience = options.earlyStoppingPatience {
      progress.evaluationsWithoutBest += 1
      if progress.evaluationsWithoutBest >= patience, progress.step < totalSteps {
        progress.isFinished = true
        try report(
          .stoppedEarly(
            step: progress.step, reason: "no better result in the last \(patience) evaluations"))
      }
    }
  }

  /// Evaluates the tasks that have examples.
  private func evaluate(_ sets: [[EncodedExample]?]) throws -> [EvaluationReport] {
    try sets.enumerated().compactMap { task, examples in
      guard let examples else { return nil }
      return try run.composition.evaluate(examples, task: task, batchSize: options.evaluationBatchSize) {
        try report(.evaluating(done: $0, of: examples.count))
      }
    }
  }

  private func keepBest(_ evaluations: [EvaluationReport]) throws {
    progress.evaluationsWithoutBest = 0
    progress.bestStep = progress.step
    progress.best = evaluations
    progress.bestValues = model.trainedParameters.map {
      Array(UnsafeBufferPointer(start: $0.values, count: $0.count))
    }
    try output.keep(evaluations, step: progress.step)
  }

  private func finish(_ log: RunLog, wasInterrupted: Bool) throws -> TrainingResult {
    if progress.bestValues.isEmpty { try keepBest([]) }
    for (parameter, values) in zip(model.trainedParameters, progress.bestValues) {
      parameter.values.update(from: values, count: values.count)
    }
    let tests = wasInterrupted ? [] : try evaluate(examples.map(\.test))
    let result = TrainingResult(
      trainableParameters: model.trainableCount, baseParameters: model.baseCount, steps: progress.step,
      seconds: progress.seconds, examplesPerSecond: throughput.steady, loss: progress.loss,
      learningRate: curve.peak, validation: progress.best, test: tests, bestStep: progress.bestStep,
      wasInterrupted: wasInterrupted, adapter: output.adapter, plugins: run.composition.plugins)
    if !wasInterrupted {
      try log.finish(tests, step: progress.bestStep)
      try RunResults.write(result, run, learningRate: curve.peak) { examples, task in
        try run.composition.evaluate(examples, task: task, batchSize: options.evaluationBatchSize) {
          try report(.evaluating(done: $0, of: examples.count))
        }
      }
      if try !ModelCard(run.composition, spec: run.spec, result: result).write() {
        try report(.warning("\(ModelCard.fileName) in \(output.adapter) was edited and stays as it is"))
      }
    }
    return result
  }
}
