import PTuneComposition
import PTuneFormats
import PTuneLibc

/// The choice among the rows of a `comparison.json`: what was measured takes the place of rules.
public struct MeasuredChoice: Sendable {
  /// A method that was compared.
  public struct Candidate: Sendable {
    /// The method and its values of the grid.
    public let label: String
    /// The mean of the tasks' first metrics, turned so that more is better; -∞ if one of them is not a number.
    public let merit: Double
    /// How far the seeds are apart; 0 for one seed.
    public let deviation: Double
    /// What is shown of the metrics: "sentiment accuracy 0.8223 ± 0.0041 (test)".
    public let metrics: [(task: String, metric: String, mean: Double, deviation: Double?, measuredOn: String)]
    /// Seconds for one text.
    public let latency: Double
    /// Bytes of the adapter's files.
    public let bytes: Double
    /// The most memory of its training, in bytes.
    public let memory: Double
    /// A run file of one of its trainings.
    public let runFile: String
  }

  /// The candidates that count, the chosen one first.
  public let candidates: [Candidate]
  /// What decided.
  public let reason: String
  /// The file.
  public let file: String

  /// Results within so much of the best, or within one deviation, are taken for as good.
  static let tolerance = 0.01

  /// Chooses among the results of a comparison.
  ///
  /// - Parameter folder: the comparison's folder.
  /// - Throws: ``RecommendationError`` if there are none to choose from; `FileError`, `JSONError`.
  public init(_ folder: String, _ situation: Situation) throws {
    file = FilePath.join(folder, ComparisonFolderFiles.results)
    guard FileSystem.exists(folder) else { throw FileError(.open, folder, code: ENOENT) }
    guard FileSystem.isFile(file) else {
      throw RecommendationError.noResults(folder: folder)
    }
    let document = try JSONValue.read(file)
    let all = (document["rows"]?.arrayValue ?? []).compactMap { row in
      Candidate(row, cells: document["cells"]?.arrayValue ?? [], folder: folder)
    }
    let fitting = all.filter { candidate in situation.memory.map { candidate.memory <= Double($0) } ?? true }
    guard let best = fitting.max(by: { $0.merit < $1.merit }) else {
      throw all.isEmpty
        ? RecommendationError.noneMeasured(file: file)
        : RecommendationError.noneFits(file: file, bytes: situation.memory ?? 0)
    }
    let slack = max(Self.tolerance, best.deviation)
    let close = fitting.filter { $0.merit >= best.merit - slack }
    switch situation.objective {
    case .accuracy:
      candidates = fitting.sorted { $0.merit > $1.merit }
      reason = "the best result of \(fitting.count)"
    case .latency:
      candidates = close.sorted { $0.latency < $1.latency }
      reason = "the fastest for a single text of the \(close.count) whose results are as good as the best"
    case .size:
      candidates = close.sorted { $0.bytes < $1.bytes }
      reason = "the smallest file of the \(close.count) whose results are as good as the best"
    }
  }
}

extension MeasuredChoice.Candidate {
  fileprivate init?(_ row: JSONValue, cells: [JSONValue], folder: String) {
    guard let label = row["label"]?.stringValue, let tasks = row["tasks"]?.arrayValue, !tasks.isEmpty,
      let latency = row["latency_seconds"]?["mean"]?.doubleValue,
      let bytes = row["adapter_bytes"]?["mean"]?.doubleValue,
      let memory = row["training_peak_memory_bytes"]?["mean"]?.doubleValue,
      let cell = cells.first(where: { $0["label"] == row["label"] && $0["state"] == "done" }),
      let place = cell["folder"]?.stringValue
    else { return nil }
    var (merits, deviations) = ([Double](), [Double]())
    metrics = tasks.compactMap { task in
      guard let name = task["metric"]?.stringValue, let metric = task["metrics"]?[name] else { return nil }
      // JSON has no NaN: null stands for it.
      let mean = metric["mean"]?.doubleValue ?? .nan
      let deviation = metric["deviation"]?.doubleValue
      let merit = task["higher_is_better"]?.boolValue ?? true ? mean : 1 / (1 + mean)
      merits.append(merit.isNaN ? -.infinity : merit)
      deviations.append(deviation ?? 0)
      return (
        task["task"]?.stringValue ?? "", name, mean, deviation, task["measured_on"]?.stringValue ?? ""
      )
    }
    guard !merits.isEmpty else { return nil }
    self.label = label
    merit = merits.reduce(0, +) / Double(merits.count)
    deviation = deviations.reduce(0, +) / Double(deviations.count)
    (self.latency, self.bytes, self.memory) = (latency, bytes, memory)
    runFile = FilePath.join(FilePath.join(folder, place), RunFolderFiles.run)
  }
}
