import PTuneFormats
import PTuneTraining

/// What a training of a comparison came to.
public struct CellResult: Sendable {
  /// The metrics of a task on the data that the comparison is measured on.
  public struct TaskMetrics: Sendable, Equatable {
    /// The task.
    public let task: String
    /// "test" or "validation".
    public let measuredOn: String
    /// Names and values; the first one decides.
    public let values: [(name: String, value: Double)]
    /// Whether more of the first metric is better.
    public let higherIsBetter: Bool

    /// Whether all numbers are equal.
    public static func == (left: TaskMetrics, right: TaskMetrics) -> Bool {
      left.task == right.task && left.measuredOn == right.measuredOn
        && left.values.elementsEqual(right.values, by: ==)
    }
  }

  /// Numbers of a training that was measured.
  public struct Numbers: Sendable {
    /// Of each task with held-out data.
    public let metrics: [TaskMetrics]
    /// All numbers, by their keys in comparison.json.
    public let values: [(key: String, value: Double)]

    /// A number by its key.
    public subscript(key: String) -> Double? { values.first { $0.key == key }?.value }
  }

  /// The training.
  public let cell: ComparisonCell
  /// How far it has come.
  public let state: CellFolder.State
  /// What it came to; nil unless it is done.
  public let numbers: Numbers?
  /// Why it failed, and what to do about it.
  public let failure: (error: String, help: String?)?

  /// Reads what is in a cell's folder.
  ///
  /// - Throws: `FileError` or `JSONError` if a file there cannot be read.
  init(_ cell: ComparisonCell) throws {
    self.cell = cell
    let folder = CellFolder(cell.folder)
    var state = folder.state
    var (numbers, failure) = (Numbers?.none, (error: String, help: String?)?.none)
    switch state {
    case .done:
      if let training = try folder.readJSON(folder.trainingFile),
        let inference = try folder.readJSON(folder.inferenceFile)
      {
        numbers = Numbers(training, inference, folder: folder)
      } else {
        state = .begun
      }
    case .failed:
      let document = try folder.readJSON(folder.failureFile)
      failure = (document?["error"]?.stringValue ?? "it failed", document?["help"]?.stringValue)
    case .begun, .new: break
    }
    (self.state, self.numbers, self.failure) = (state, numbers, failure)
  }
}

extension CellResult.Numbers {
  /// Keys of the documents that count, and what they are called here.
  private static let keys = [
    ("trainable_parameters", "trainable_parameters"), ("base_parameters", "base_parameters"),
    ("learning_rate", "learning_rate"), ("loss", "loss"), ("steps", "steps"), ("best_step", "best_step"),
    ("seconds", "training_seconds"), ("examples_per_second", "examples_per_second"),
    ("peak_memory_bytes", "training_peak_memory_bytes"),
  ]

  fileprivate init(_ training: JSONValue, _ inference: JSONValue, folder: CellFolder) {
    var values: [(key: String, value: Double)] = []
    for (key, name) in Self.keys {
      // A training that went on after its last step took no step to measure.
      if let value = training[key]?.doubleValue, key != "examples_per_second" || value > 0 {
        values.append((name, value))
      }
    }
    for (key, value) in inference.objectValue ?? [:] {
      if let value = value.doubleValue { values.append((key, value)) }
    }
    if let bytes = folder.adapterBytes { values.append(("adapter_bytes", Double(bytes))) }
    self.values = values
    metrics = (training["tasks"]?.arrayValue ?? []).compactMap { task in
      guard let name = task["task"]?.stringValue, let on = task["measured_on"]?.stringValue,
        let metrics = task["metrics"]?.objectValue
      else { return nil }
      return CellResult.TaskMetrics(
        task: name, measuredOn: on, values: metrics.map { ($0, $1.doubleValue ?? .nan) },
        higherIsBetter: task["higher_is_better"]?.boolValue ?? true)
    }
  }
}

extension TrainingResult {
  /// What a cell's `training.json` says of the metrics: of each task those on its test data or, where it has none, its
  /// validation data.
  public var comparedTasks: JSONValue {
    let tested = Set(test.map(\.task))
    let reports =
      test.map { ("test", $0) } + validation.filter { !tested.contains($0.task) }.map { ("validation", $0) }
    return .array(
      reports.map { on, report in
        [
          "task": .string(report.task), "measured_on": .string(on), "examples": .int(report.examples),
          "higher_is_better": .bool(report.primary?.higherIsBetter ?? true),
          "metrics": .object(report.values),
        ]
      })
  }
}
