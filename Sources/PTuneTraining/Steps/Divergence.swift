import PTuneFormats

/// A step that a training should not learn from.
public struct Divergence: Equatable, Sendable {
  /// What is wrong.
  public enum Problem: Equatable, Sendable {
    /// The loss is not a finite number.
    case loss(Double)
    /// The norm of the gradients is not.
    case gradient(Double)
    /// The loss is far above the mean of those before.
    case explosion(Double, mean: Double)
  }

  /// Counted from 1.
  public let step: Int
  /// What is wrong.
  public let problem: Problem
  /// The rows of the batch: each file with its lines, in order.
  public let rows: [Rows]

  /// Rows of one file.
  public struct Rows: Equatable, Sendable {
    /// The data file.
    public let file: String
    /// Lines in it, ascending.
    public var lines: [Int]
  }
}

extension Divergence: CustomStringConvertible {
  /// The step, the problem and the rows, in one line.
  public var description: String { "\(reason) at step \(step), in the batch of \(places)" }

  /// The problem in words.
  var reason: String {
    switch problem {
    case .loss(let loss): "the loss is \(loss)"
    case .gradient(let norm): "the loss is a number but its gradient has the norm \(norm)"
    case .explosion(let loss, let mean):
      "the loss is \(Self.short(loss)), \(Self.short(loss / mean)) times the mean of the last steps,"
    }
  }

  /// "train.tsv:3, 17 and 25".
  var places: String {
    rows.map { rows in
      let lines = rows.lines.map(String.init)
      let all =
        lines.count == 1 ? lines[0] : "\(lines.dropLast().joined(separator: ", ")) and \(lines.last ?? "")"
      return "\(rows.file):\(all)"
    }.joined(separator: "; ")
  }

  private static func short(_ value: Double) -> String {
    let scaled = (value * 100).rounded() / 100
    return "\(scaled)"
  }

  /// A line of metrics.jsonl for a step that was skipped.
  func json(epoch: Int) -> JSONValue {
    var object: JSONObject = [
      "event": "skipped", "step": .int(step), "epoch": .int(epoch), "reason": .string(reason),
    ]
    object["rows"] = .array(
      rows.map { ["file": .string($0.file), "lines": .array($0.lines.map { .int($0) })] })
    return .object(object)
  }
}
