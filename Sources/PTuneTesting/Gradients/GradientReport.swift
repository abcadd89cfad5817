import PTuneTerminal

/// What a ``GradientCheck`` found, parameter by parameter.
public struct GradientReport: Sendable, CustomStringConvertible {
  /// One parameter.
  public struct Entry: Sendable {
    /// Which component declared it: "adapter" or "head.NAME".
    public let owner: String
    /// Its name.
    public let name: String
    /// Its dimensions.
    public let shape: [Int]
    /// The norm of its gradient.
    public let norm: Double
    /// The largest difference over all directions, relative to that norm.
    public let worstDifference: Double
    /// The median over the directions: a wrong gradient shows in most of them, a kink, such as relu's, in a few.
    public let typicalDifference: Double
  }

  /// In the order in which the parameters were declared.
  public let entries: [Entry]
  /// The largest difference that passes.
  public let tolerance: Double

  /// Whether there are parameters and all gradients are right.
  public var passes: Bool { !entries.isEmpty && entries.allSatisfy { $0.worstDifference <= tolerance } }

  /// A table with a line per parameter.
  public var description: String {
    var table = TextTable(
      ["OWNER", "PARAMETER", "SHAPE", "NORM", "DIFFERENCE", ""],
      alignments: [.leading, .leading, .leading, .trailing, .trailing])
    for entry in entries {
      table.add(
        entry.owner, entry.name, entry.shape.map(String.init).joined(separator: "·"),
        NumberText.significant(entry.norm),
        NumberText.significant(entry.worstDifference), entry.worstDifference <= tolerance ? "" : "wrong")
    }
    return table.lines.joined(separator: "\n")
  }
}
