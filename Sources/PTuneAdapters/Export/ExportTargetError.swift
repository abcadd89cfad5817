import PTuneFormats

/// Why an export is not written to a place.
public enum ExportTargetError: HelpfulError, Equatable {
  /// A file where a folder is wanted.
  case notAFolder(String)
  /// A folder whose files would be lost.
  case holdsOtherFiles(String)
  /// A folder with an adapter that ptune trained.
  case holdsTrainedAdapter(String)
  /// Something is there.
  case exists(String, isFile: Bool)
  /// The base model is a GGUF file, and this is no name of one.
  case notGGUF(String)
}

extension ExportTargetError {
  /// What is wrong, where.
  public var description: String {
    switch self {
    case .notAFolder(let path): "'\(path)' is not a folder"
    case .holdsOtherFiles(let path): "the folder '\(path)' contains something other than an adapter"
    case .holdsTrainedAdapter(let path): "the folder '\(path)' contains an adapter that ptune trained"
    case .exists(let path, _): "'\(path)' is there already"
    case .notGGUF(let path): "'\(path)' is not the name of a GGUF file, as the base model is one"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .notAFolder: "name another one with --output"
    case .holdsOtherFiles, .holdsTrainedAdapter: "name an empty or a new one with --output"
    case .exists(_, isFile: true): "name a new file with --output"
    case .exists(_, isFile: false): "name a new or empty folder with --output"
    case .notGGUF: "with --output, give a name that ends in .gguf"
    }
  }
}
