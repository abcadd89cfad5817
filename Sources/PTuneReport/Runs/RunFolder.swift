import PTuneFormats

/// What `ptune train` left in a run folder, as far as a report shows it.
public struct RunFolder: Sendable {
  /// A step line of metrics.jsonl.
  struct Step: Sendable {
    let step: Int
    let loss, learningRate: Double
  }

  /// An evaluation line of metrics.jsonl.
  struct Evaluation: Sendable {
    let step: Int
    let task: String
    let metrics: JSONObject
  }

  /// Where it is.
  public let path: String
  /// Its last part.
  let name: String
  /// The run file with everything spelled out; empty if there is none.
  let runFile: String
  let steps: [Step]
  let evaluations: [Evaluation]
  /// results.json; nil of a training that did not come to its end.
  let results: JSONValue?
  /// adapter/adapter_config.json, if there is one.
  let adapter: JSONValue?
  /// selection.json, if there is one.
  let selection: JSONValue?
  /// Lines of predictions.jsonl.
  let predictions: [Prediction]

  /// Whether a folder has what a run folder has.
  public static func isRun(_ path: String) -> Bool {
    FileSystem.isFile(FilePath.join(path, RunFolderFiles.metrics))
  }

  /// Reads a run folder.
  ///
  /// - Throws: ``ReportError`` if it is none, `FileError` or `JSONError` for what cannot be read.
  public init(_ path: String) throws {
    self.path = path
    name = FilePath.name(of: FilePath.normalised(path))
    func file(_ name: String) -> String? {
      let file = FilePath.join(path, name)
      return FileSystem.isFile(file) ? file : nil
    }
    guard let metrics = file(RunFolderFiles.metrics) else { throw ReportError.notARun(path: path) }
    var steps: [Step] = []
    var evaluations: [Evaluation] = []
    for line in try Self.lines(metrics) {
      guard let step = line["step"]?.intValue else { continue }
      if let loss = line["loss"]?.doubleValue {
        steps.append(Step(step: step, loss: loss, learningRate: line["learning_rate"]?.doubleValue ?? .nan))
      } else if let task = line["task"]?.stringValue, let metrics = line["metrics"]?.objectValue {
        evaluations.append(Evaluation(step: step, task: task, metrics: metrics))
      }
    }
    (self.steps, self.evaluations) = (steps, evaluations)
    runFile =
      try file(RunFolderFiles.run).map { try MappedFile(text: $0).text() } ?? ""
    results = try file(RunFolderFiles.results).map { try JSONValue.read($0) }
    adapter = try file("adapter/adapter_config.json").map { try JSONValue.read($0) }
    selection = try file(RunFolderFiles.selection).map { try JSONValue.read($0) }
    predictions =
      try file(RunFolderFiles.predictions).map { try Self.lines($0).compactMap(Prediction.init) } ?? []
    guard !steps.isEmpty || results != nil else { throw ReportError.emptyRun(path: path) }
  }

  /// The documents of a file, one a line; the half of a line that a crash may have left is passed over.
  private static func lines(_ path: String) throws -> [JSONValue] {
    let text = try MappedFile(text: path).withBytes { String(decoding: $0, as: UTF8.self) }
    let lines = text.split(separator: "\n")
    return try lines.enumerated().compactMap { index, line in
      do {
        return try JSONValue.parse(String(line))
      } catch {
        guard index == lines.count - 1, text.utf8.last != 0x0A else {
          throw ReportError.unreadable(path: path, line: index + 1)
        }
        return nil
      }
    }
  }
}

/// Why there is no report.
public enum ReportError: Error, Equatable, Sendable {
  /// The folder is no run folder.
  case notARun(path: String)
  /// Nothing was trained yet.
  case emptyRun(path: String)
  /// A line of a file is not what it should be.
  case unreadable(path: String, line: Int)
  /// Something else to say.
  case unusable(String, help: String)
}

extension ReportError: HelpfulError {
  /// What went wrong, where.
  public var description: String {
    switch self {
    case .notARun(let path): "\(path) is not a run folder: it has no metrics.jsonl"
    case .emptyRun(let path): "\(path) has no training step in its metrics.jsonl yet"
    case .unreadable(let path, let line): "\(path):\(line): this is not a line of JSON"
    case .unusable(let text, _): text
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .notARun: "give the output folder of a training, such as runs/NAME, or of a comparison"
    case .emptyRun: "train first: ptune train RUN.yaml"
    case .unreadable: "the file was changed or truncated; train again, or remove the line"
    case .unusable(_, let help): help
    }
  }
}
