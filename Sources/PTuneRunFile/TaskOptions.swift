/// How often the examples of each task are trained on where a run has several.
public enum TaskSampling: String, CaseIterable, Sendable {
  /// As many of each task as it has.
  case proportional
  /// As many of each task as of every other.
  case uniform
  /// In proportion to the number of examples to the power 1/`taskTemperature`.
  case temperature
}

/// What a batch holds where a run has several tasks.
public enum TaskBatches: String, CaseIterable, Sendable {
  /// Examples of one task.
  case single
  /// Examples of any tasks.
  case mixed
}

/// Where the weights of the tasks' losses come from.
public enum TaskWeighting: String, CaseIterable, Sendable {
  /// From the run file.
  case fixed
  /// They are trained, by the uncertainty of each task (Kendall et al. 2018).
  case uncertainty
}

/// What decides which adapter is best where several tasks have validation data. A metric that should be low, v, counts
/// as 1/(1 + v).
public enum BestBy: String, CaseIterable, Sendable {
  /// The mean of the tasks' first metrics.
  case mean
  /// Their mean, weighted by the tasks' numbers of validation examples.
  case weightedMean = "weighted-mean"
  /// Their geometric mean, which a bad task pulls down most.
  case geometricMean = "geometric-mean"
}
