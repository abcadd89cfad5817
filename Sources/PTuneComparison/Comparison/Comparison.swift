import PTuneFormats
import PTunePlugins
import PTuneTraining

/// A comparison: its plan, and what its trainings came to so far.
public final class Comparison {
  /// What is compared.
  public let plan: ComparisonPlan
  /// What the trainings came to, in the order of the plan's cells.
  public private(set) var results: [CellResult]
  private let conditions: [CellConditions]
  private let source: JSONObject

  /// Checks that what the folder holds is of this comparison.
  ///
  /// - Parameters:
  ///   - restart: throw away what is there of the plan's cells.
  ///   - source: what the document says of where it comes from.
  ///   - resolver: finds the base model, and may fetch it.
  /// - Throws: ``ComparisonError`` for results of other conditions; what is wrong with files.
  public init(
    _ plan: ComparisonPlan, restart: Bool, source: JSONObject, resolver: ModelResolver = ModelResolver()
  ) throws {
    self.plan = plan
    self.source = source
    let reader = ConditionsReader(resolver)
    conditions = try plan.cells.map { try reader.conditions(of: $0.spec) }
    for (cell, conditions) in zip(plan.cells, conditions) {
      if restart { try CellFolder(cell.folder).discard() }
      try CellFolder(cell.folder).check(cell, conditions)
    }
    results = try plan.cells.map { try CellResult($0) }
  }

  /// Prepares a cell's folder for its training.
  ///
  /// - Throws: `FileError`.
  public func begin(_ index: Int) throws -> CellFolder {
    let folder = CellFolder(plan.cells[index].folder)
    try folder.begin(plan.cells[index], conditions[index])
    try folder.forgetFailure()
    return folder
  }

  /// Reads anew what a cell came to.
  ///
  /// - Throws: `FileError` or `JSONError`.
  public func end(_ index: Int) throws { results[index] = try CellResult(plan.cells[index]) }

  /// The rows of the table: cells that differ in their seeds alone.
  public var rows: [ComparisonRow] {
    var (order, groups) = ([String](), [String: [CellResult]]())
    for result in results {
      if groups[result.cell.label] == nil { order.append(result.cell.label) }
      groups[result.cell.label, default: []].append(result)
    }
    return order.map { ComparisonRow(label: $0, results: groups[$0] ?? []) }
  }

  /// Everything, as `comparison.json` has it.
  public var document: JSONValue {
    var document: JSONObject = ["format": 1]
    for (key, value) in source { document[key] = value }
    document["seeds"] = .array(plan.seeds.map { .int($0) })
    document["rows"] = .array(rows.map(\.json))
    document["cells"] = .array(results.map { $0.json(below: plan.output) })
    return .object(document)
  }
}

/// What the seeds of a method came to.
public struct ComparisonRow: Sendable {
  /// The method and its values of the grid.
  public let label: String
  /// Its trainings.
  public let results: [CellResult]

  /// Those that were measured.
  public var done: [CellResult.Numbers] { results.compactMap(\.numbers) }
  /// How many failed.
  public var failures: Int { results.count { $0.state == .failed } }

  /// The tasks with metrics.
  public var metrics: [CellResult.TaskMetrics] { done.first?.metrics ?? [] }

  /// A metric of a task over the seeds; the first one without a name.
  public func spread(task: String, metric: String? = nil) -> Spread? {
    Spread(
      done.compactMap { numbers in
        let values = numbers.metrics.first { $0.task == task }?.values
        return values?.first { metric == nil || $0.name == metric }?.value
      })
  }

  /// A number over the seeds, by its key in comparison.json.
  public func spread(_ key: String) -> Spread? { Spread(done.compactMap { $0[key] }) }
}

/// Values of several seeds.
public struct Spread: Sendable, Equatable {
  /// Each of them.
  public let values: [Double]

  /// Nil without values.
  init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    self.values = values
  }

  /// Their mean.
  public var mean: Double { values.reduce(0, +) / Double(values.count) }
  /// Their sample standard deviation; nil for one value.
  public var deviation: Double? {
    guard values.count > 1 else { return nil }
    let mean = mean
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
  }

  var json: JSONValue {
    [
      "mean": .double(mean), "deviation": deviation.map { .double($0) } ?? .null,
      "values": .array(values.map { .double($0) }),
    ]
  }
}

extension ComparisonRow {
  fileprivate var json: JSONValue {
    var row: JSONObject = ["label": .string(label)]
    if let cell = results.first?.cell {
      row["adapter"] = .string(cell.spec.adapters.map(\.plugin.value).joined(separator: " + "))
      row["selector"] = cell.spec.selector.map { .string($0.plugin.value) }
      var grid = JSONObject()
      for (key, value) in cell.grid { grid[key] = .string(value) }
      row["grid"] = .object(grid)
    }
    row["done"] = .int(done.count)
    row["failed"] = .int(failures)
    row["pending"] = .int(results.count - done.count - failures)
    row["tasks"] = .array(
      metrics.map { task in
        var values = JSONObject()
        for metric in task.values { values[metric.name] = spread(task: task.task, metric: metric.name)?.json }
        return [
          "task": .string(task.task), "measured_on": .string(task.measuredOn),
          "metric": .string(task.values.first?.name ?? ""), "higher_is_better": .bool(task.higherIsBetter),
          "metrics": .object(values),
        ]
      })
    for key in done.first?.values.map(\.key) ?? [] { row[key] = spread(key)?.json }
    return .object(row)
  }
}

extension CellResult {
  fileprivate func json(below output: String) -> JSONValue {
    let folder =
      cell.folder.hasPrefix(output + "/") ? String(cell.folder.dropFirst(output.count + 1)) : cell.folder
    var document: JSONObject = [
      "label": .string(cell.label), "seed": .int(cell.seed), "folder": .string(folder),
      "state": .string(state.rawValue),
    ]
    document["error"] = failure.map { .string($0.error) }
    document["help"] = failure?.help.map { .string($0) }
    if let numbers {
      document["tasks"] = .array(
        numbers.metrics.map { task in
          var values = JSONObject()
          for (name, value) in task.values { values[name] = .double(value) }
          return [
            "task": .string(task.task), "measured_on": .string(task.measuredOn), "metrics": .object(values),
          ]
        })
      for (key, value) in numbers.values {
        document[key] = Int(exactly: value).map { .int($0) } ?? .double(value)
      }
    }
    return .object(document)
  }
}

extension ComparisonPlan {
  /// Keeps other processes out of the comparison's folder.
  ///
  /// - Throws: `TrainingError.outputInUse`, and what `body` throws.
  public func hold<Result>(_ body: () throws -> Result) throws -> Result {
    try FileSystem.createFolder(output)
    return try OutputLock.hold(output, body)
  }
}
