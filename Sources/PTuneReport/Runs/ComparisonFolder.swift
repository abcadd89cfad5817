import PTuneFormats

/// What `ptune compare` left in its folder.
public struct ComparisonFolder: Sendable {
  /// Mean and sample deviation over the seeds of a row.
  struct Spread: Sendable {
    let mean: Double
    let deviation: Double?

    init?(_ json: JSONValue?) {
      guard let mean = json?["mean"]?.doubleValue else { return nil }
      self.mean = mean
      deviation = json?["deviation"]?.doubleValue
    }
  }

  /// A method with certain hyperparameters.
  struct Row: Sendable {
    let label: String
    let done, failed: Int
    let tasks: [Task]
    private let json: JSONValue

    init?(_ json: JSONValue) {
      guard let label = json["label"]?.stringValue else { return nil }
      self.label = label
      self.json = json
      (done, failed) = (json["done"]?.intValue ?? 0, json["failed"]?.intValue ?? 0)
      tasks = (json["tasks"]?.arrayValue ?? []).compactMap(Task.init)
    }

    subscript(key: String) -> Spread? { Spread(json[key]) }
  }

  /// How well a row does a task.
  struct Task: Sendable {
    let name, metric, measuredOn: String
    let higherIsBetter: Bool
    let value: Spread
    let majority: Double?

    init?(_ json: JSONValue) {
      guard let name = json["task"]?.stringValue, let metric = json["metric"]?.stringValue,
        let value = Spread(json["metrics"]?[metric])
      else { return nil }
      (self.name, self.metric, self.value) = (name, metric, value)
      measuredOn = json["measured_on"]?.stringValue ?? "test"
      higherIsBetter = json["higher_is_better"]?.boolValue ?? true
      majority = Spread(json["metrics"]?["majority_class"])?.mean
    }
  }

  /// A training.
  struct Cell: Sendable {
    let label, folder, state, error: String
    let seed: Int
    let run: RunFolder?
  }

  /// Where it is.
  public let path: String
  let model: String
  let rows: [Row]
  let cells: [Cell]

  private static let file = ComparisonFolderFiles.results

  /// Whether a folder is a comparison's.
  public static func isComparison(_ path: String) -> Bool { FileSystem.isFile(FilePath.join(path, file)) }

  /// Reads the folder.
  ///
  /// - Throws: `JSONError` or `FileError`, ``ReportError`` for a comparison without rows.
  public init(_ path: String) throws {
    let document = try JSONValue.read(FilePath.join(path, Self.file))
    self.path = path
    model = document["base_model"]?.stringValue ?? "the base model"
    rows = (document["rows"]?.arrayValue ?? []).compactMap(Row.init)
    guard !rows.isEmpty else {
      throw ReportError.unusable(
        "\(path)/\(Self.file) has no rows", help: "compare first: ptune compare RUN.yaml --adapters …")
    }
    cells = (document["cells"]?.arrayValue ?? []).map { json in
      func text(_ key: String) -> String { json[key]?.stringValue ?? "" }
      let folder = FilePath.join(path, text("folder"))
      return Cell(
        label: text("label"), folder: folder, state: text("state"), error: text("error"),
        seed: json["seed"]?.intValue ?? 0, run: RunFolder.isRun(folder) ? try? RunFolder(folder) : nil)
    }
  }
}
