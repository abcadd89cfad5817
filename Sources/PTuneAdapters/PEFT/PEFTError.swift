import PTuneComposition

extension TrainingError {
  /// PEFT wrote the adapter, and ptune cannot read what it is.
  static func unsupportedPEFT(folder: String, reason: String) -> TrainingError {
    .unreadablePEFT(
      folder: folder, reason: reason,
      help: "of PEFT's methods ptune reads \(PEFTMethod.all.map(\.type).joined(separator: ", ")), for "
        + PEFTHead.TaskType.allCases.map(\.rawValue).joined(separator: ", "))
  }
}
