import PTuneLibc
import PTuneRunFile

/// The learning rate at each step: it rises in a straight line over the warm-up, then follows the schedule, as
/// transformers' `get_linear_schedule_with_warmup` and its siblings have it.
struct LearningRateCurve {
  let peak: Double
  let schedule: LearningRateSchedule
  let warmupSteps: Int
  let totalSteps: Int

  init(peak: Double, options: TrainingOptions, totalSteps: Int) {
    self.peak = peak
    self.totalSteps = totalSteps
    schedule = options.schedule
    warmupSteps = options.warmupSteps ?? Int((options.warmupRatio * Double(totalSteps)).rounded(.up))
  }

  /// The rate of a step, counted from 0.
  func rate(at step: Int) -> Double {
    if step < warmupSteps { return peak * Double(step) / Double(max(1, warmupSteps)) }
    let share = Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
    switch schedule {
    case .constant: return peak
    case .linear: return peak * max(0, 1 - share)
    case .cosine: return peak * 0.5 * (1 + cos(.pi * min(1, share)))
    }
  }
}
