/// What the folder of a run holds: training writes it, and comparisons and reports read it.
package enum RunFolderFiles {
  /// The run as it was resolved.
  package static let run = "run.yaml"
  /// The result, a folder.
  package static let adapter = "adapter"
  /// What to resume from, a folder.
  package static let checkpoints = "checkpoints"
  /// A line for each step and evaluation.
  package static let metrics = "metrics.jsonl"
  /// How the run ended.
  package static let results = "results.json"
  /// A line for each held-out row.
  package static let predictions = "predictions.jsonl"
  /// Which entries of its pool the adapter uses.
  package static let selection = "selection.json"
  /// Where the time of the first steps went.
  package static let profile = "profile.json"
  /// Losses by learning rate.
  package static let learningRates = "learning-rate.json"
  /// The page about the run.
  package static let report = "report.html"
}

/// What the folder of a comparison holds.
package enum ComparisonFolderFiles {
  /// The results.
  package static let results = "comparison.json"
  /// The page about them.
  package static let report = "comparison.html"
  /// A run's folder for each cell.
  package static let cells = "cells"
}

/// What an adapter folder holds.
package enum AdapterFolderFiles {
  /// What the adapter is.
  package static let config = "adapter_config.json"
  /// Its tensors.
  package static let weights = "adapter_model.safetensors"
  /// The names of its tasks, in folders that an earlier ptune exported.
  package static let names = "ptune.json"
  /// What people read of it.
  package static let card = "README.md"
}
