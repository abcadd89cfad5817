import PTuneFormats

/// Why no method is recommended.
public enum RecommendationError: HelpfulError, Equatable {
  /// A folder without results of a comparison.
  case noResults(folder: String)
  /// No method of a comparison was measured on held-out data.
  case noneMeasured(file: String)
  /// None trains within this memory.
  case noneFits(file: String, bytes: Int)
  /// Memory alone says nothing without a base model.
  case memoryWithoutModel
  /// The run file to write is there already.
  case exists(String)
}

extension RecommendationError {
  /// What is wrong, where.
  public var description: String {
    switch self {
    case .noResults(let folder): "\(folder) holds no results of a comparison"
    case .noneMeasured(let file): "\(file) has no method that was measured on held-out data"
    case .noneFits(let file, let bytes): "no method in \(file) trains within \(bytes) bytes of memory"
    case .memoryWithoutModel: "whether the memory is sufficient depends on the base model"
    case .exists(let path): "\(path) already exists"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .noResults: "give the output folder of `ptune compare`"
    case .noneMeasured: "`ptune compare` goes on where it was interrupted"
    case .noneFits: "allow more with --memory"
    case .memoryWithoutModel: "name it with --model"
    case .exists: "give --write another name"
    }
  }
}
