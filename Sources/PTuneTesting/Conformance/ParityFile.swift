import PTune
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneTerminal

/// Reference values of a component, made without it, and what they were made from.
///
/// ```json
/// {"hyperparameters": {"virtual_tokens": 2},
///  "parameters": {"prompt": [[…], […]], "gates": [[1], [0.5]]},
///  "expect": {"input": [[…], […]]}}
/// ```
///
/// | kind | given beside hyperparameters and parameters | expected |
/// |---|---|---|
/// | adapter | `batch`: token ids of each sequence | `input`, `layer.N.rows`, `layer.N.keys`, `layer.N.values` |
/// | selector | `queries`, `keys` | `weights` |
/// | task head | `batch`, `hidden`: a row for each token, `targets`: integers, or numbers, of each sequence | `scores`, `loss` |
/// | base model | `batch` | `hidden`, `vocabulary`: a row of scores for each token |
public struct ParityFile: Sendable {
  /// The file, or what cannot be read in it.
  public struct Malformed: Error, CustomStringConvertible {
    /// Where, and what is wrong.
    public let description: String
  }

  private let name: String
  private let hyperparameters: [String: HyperparameterValue]
  private let parameters: [(name: String, rows: [[Float]])]
  private let batch: PackedBatch
  private let hidden, queries: [[Float]]?
  private let keyRows: [[Float]]?
  private let expected: [(name: String, rows: [[Float]])]
  private let tolerance: Float

  /// Reads a file.
  ///
  /// - Throws: ``Malformed``, `FileError` or `JSONError`.
  public init(_ path: String) throws {
    let json = try JSONValue.read(path)
    func malformed(_ why: String) -> Malformed { Malformed(description: "\(path): \(why)") }
    func matrix(_ value: JSONValue?, _ name: String) throws -> [[Float]]? {
      guard let value else { return nil }
      let rows = value.arrayValue?.map { row in
        row.arrayValue?.compactMap { $0.doubleValue.map(Float.init) } ?? []
      }
      guard let rows, let columns = rows.first?.count, columns > 0, rows.allSatisfy({ $0.count == columns })
      else { throw malformed("'\(name)' is not a matrix: a list of rows of the same length") }
      return rows
    }
    func matrices(_ key: String) throws -> [(name: String, rows: [[Float]])] {
      try (json[key]?.objectValue ?? JSONObject()).map { name, value in
        (name, try matrix(value, "\(key).\(name)") ?? [])
      }
    }
    self.name = path
    var hyperparameters: [String: HyperparameterValue] = [:]
    for (name, value) in json["hyperparameters"]?.objectValue ?? JSONObject() {
      guard let read = HyperparameterValue(value) else {
        throw malformed("hyperparameter '\(name)' is \(value.kind)")
      }
      hyperparameters[name] = read
    }
    self.hyperparameters = hyperparameters
    parameters = try matrices("parameters")
    expected = try matrices("expect")
    guard !expected.isEmpty else { throw malformed("it has no 'expect': the reference values") }
    hidden = try matrix(json["hidden"], "hidden")
    queries = try matrix(json["queries"], "queries")
    keyRows = try matrix(json["keys"], "keys")
    tolerance = Float(json["tolerance"]?.doubleValue ?? 1e-5)
    let targets = json["targets"]?.arrayValue?.map { $0.arrayValue ?? [] }
    let sequences = json["batch"]?.arrayValue?.map { row in
      row.arrayValue?.compactMap { $0.intValue.map { Int32(truncatingIfNeeded: $0) } } ?? []
    }
    batch = PackedBatch(
      (sequences ?? Array(repeating: [1], count: queries?.count ?? 1)).enumerated().map { index, tokens in
        let own = targets.flatMap { $0.indices.contains(index) ? $0[index] : nil } ?? []
        let isWhole = own.allSatisfy { if case .int = $0 { true } else { false } }
        return PackedBatch.Sequence(
          tokens: tokens,
          integers: isWhole ? own.compactMap { $0.intValue.map { Int32(truncatingIfNeeded: $0) } } : [],
          numbers: isWhole ? [] : own.compactMap { $0.doubleValue.map(Float.init) })
      }, training: false)
  }

  /// How many keys a selector is asked about; nil where the file has none.
  var keys: Int? { keyRows?.count }

  /// The choice with the file's hyperparameters.
  func choice(_ choice: ComponentChoice) -> ComponentChoice {
    ComponentChoice(
      plugin: choice.plugin,
      hyperparameters: choice.hyperparameters.merging(hyperparameters) { $1 })
  }

  /// The check that the component gives these values.
  func check(_ make: @escaping () throws -> Model) -> ConformanceCheck {
    ConformanceCheck("it computes the reference values") {
      let model = try make()
      for (name, rows) in parameters {
        let values = rows.flatMap { $0 }
        guard let parameter = model.parameters.first(where: { $0.name == name }) else {
          return .failed("\(self.name): it has no parameter '\(name)'")
        }
        guard parameter.count == values.count else {
          return .failed("\(self.name): '\(name)' has \(parameter.shape) values, not \(values.count)")
        }
        for (index, value) in values.enumerated() { parameter.values[index] = value }
      }
      return compare(try given(model))
    }
  }

  private func given(_ model: Model) throws -> [NamedMatrix] {
    if let queries, let keyRows {
      return [try model.selectorWeights(queries: queries, keys: keyRows, batch: batch)]
    }
    if let hidden { return try model.headScores(hidden: hidden, batch: batch) }
    let ofBase = expected.filter { ["hidden", "vocabulary"].contains($0.name) }
    if !ofBase.isEmpty {
      return try ofBase.map {
        $0.name == "hidden" ? try model.hiddenMatrix(batch) : try model.vocabularyMatrix(batch)
      }
    }
    return try model.injectedRows(batch)
  }

  private func compare(_ given: [NamedMatrix]) -> Verdict {
    var worst: Float = 0
    for (name, rows) in expected {
      guard let own = given.first(where: { $0.name == name }) else {
        let names = given.map(\.name).joined(separator: ", ")
        return .failed("\(self.name): it gives no '\(name)'; it gives \(names)")
      }
      guard own.rows.map(\.count) == rows.map(\.count) else {
        return .failed(
          "'\(name)' is [\(own.rows.count), \(own.rows.first?.count ?? 0)], the reference "
            + "[\(rows.count), \(rows.first?.count ?? 0)]")
      }
      for (row, pair) in zip(own.rows, rows).enumerated() {
        let difference = largestDifference(pair.0, pair.1)
        if !(difference <= tolerance) {
          return .failed("row \(row) of '\(name)' differs by \(NumberText.significant(Double(difference)))")
        }
        worst = max(worst, difference)
      }
    }
    let names = expected.map(\.name).joined(separator: ", ")
    return .passed("\(names): apart by \(NumberText.significant(Double(worst)))")
  }
}

extension Model {
  fileprivate func vocabularyMatrix(_ batch: PackedBatch) throws -> NamedMatrix {
    NamedMatrix("vocabulary", try vocabularyScores(batch), columns: facts?.vocabularySize ?? 1)
  }

  fileprivate func hiddenMatrix(_ batch: PackedBatch) throws -> NamedMatrix {
    NamedMatrix("hidden", try hiddenRows(batch).values, columns: facts?.hiddenSize ?? 1)
  }
}

extension HyperparameterValue {
  /// The value of a JSON text.
  ///
  /// - Throws: `JSONError`, or `ParityFile.Malformed` for what no hyperparameter can be.
  init(json: String) throws {
    guard let value = HyperparameterValue(try JSONValue.parse(json)) else {
      throw ParityFile.Malformed(description: "\(json) is not a value of a hyperparameter")
    }
    self = value
  }
}

/// Whether a text is a JSON document.
func isJSON(_ text: String) -> Bool { (try? JSONValue.parse(text)) != nil }
