/// Which optimiser takes the steps of a training.
public enum OptimizerKind: String, CaseIterable, Sendable {
  /// AdamW (Loshchilov & Hutter 2019).
  case adamw
  /// Adafactor (Shazeer & Stern 2018) as prompt tuning was published with it (Lester et al. 2021, section 3.1).
  case adafactor
}
