import PTuneFormats

/// What PEFT and ptune cannot tell each other.
public enum PEFTError: HelpfulError, Equatable {
  /// PEFT wrote the adapter, and ptune cannot read what it is.
  case unsupported(folder: String, reason: String, help: String? = nil)
  /// A trained adapter that PEFT cannot express, and what would be possible.
  case inexpressible(folder: String, reason: String, help: String)
  /// An adapter to export for PEFT that PEFT wrote.
  case isPEFT(folder: String)
}

extension PEFTError {
  /// What went wrong, where.
  public var description: String {
    switch self {
    case .unsupported(let folder, let reason, _):
      "\(folder) is an adapter of PEFT that ptune does not read: \(reason)"
    case .inexpressible(let folder, let reason, _): "PEFT cannot express \(folder): \(reason)"
    case .isPEFT(let folder): "\(folder) is already an adapter in PEFT's format"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .unsupported(_, _, let help?): help
    case .unsupported:
      "of PEFT's methods ptune reads \(PEFTMethod.all.map(\.type).joined(separator: ", ")), for "
        + PEFTHead.TaskType.allCases.map(\.rawValue).joined(separator: ", ")
    case .inexpressible(_, _, let help): help
    case .isPEFT: "copy the folder as it is"
    }
  }
}
