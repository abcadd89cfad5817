import PTuneFormats

/// Which entries of a pool the selector chose in an evaluation: for all examples and for those of each label.
public struct SelectionStatistics: Sendable, Equatable {
  /// Some of the examples.
  public struct Group: Sendable, Equatable {
    /// How many they are.
    public private(set) var examples = 0
    /// How many of them gave each entry their largest weight, `[K]`; equal ones all count.
    public private(set) var chosen: [Int] = []
    private var sums: [Double] = []

    /// The mean weight of each entry, `[K]`.
    public var meanWeights: [Double] { sums.map { $0 / Double(max(1, examples)) } }

    mutating func add(_ weights: [Float]) {
      guard let largest = weights.max() else { return }
      if examples == 0 {
        chosen = Array(repeating: 0, count: weights.count)
        sums = Array(repeating: 0, count: weights.count)
      }
      examples += 1
      // What a selector means to be equal may differ in the last digits.
      for (index, weight) in weights.enumerated() {
        if weight >= largest * (1 - 1e-5) { chosen[index] += 1 }
        sums[index] += Double(weight)
      }
    }

    var json: JSONObject {
      [
        "examples": .int(examples), "chosen": .array(chosen.map { .int($0) }),
        "mean_weight": .array(meanWeights.map { .double($0) }),
      ]
    }
  }

  /// All examples.
  public private(set) var all = Group()
  /// Those of each label that occurs, in the order of the head's labels; empty where an example has not exactly one.
  public private(set) var labels: [(name: String, group: Group)] = []

  /// - Parameter labels: of the head; empty if examples are not to be told apart.
  init(labels: [String]) { self.labels = labels.map { ($0, Group()) } }

  /// Adds an example's weights, `[K]`.
  ///
  /// - Parameter label: its number.
  mutating func add(_ weights: [Float], label: Int?) {
    all.add(weights)
    if let label, labels.indices.contains(label) { labels[label].group.add(weights) }
  }

  /// As metrics.jsonl, selection.json and `ptune eval --json` have it.
  public var json: JSONValue {
    var object = all.json
    let found = labels.filter { $0.group.examples > 0 }
    if !found.isEmpty {
      var groups = JSONObject()
      for (name, group) in found { groups[name] = .object(group.json) }
      object["labels"] = .object(groups)
    }
    return .object(object)
  }

  /// Whether both count the same.
  public static func == (a: Self, b: Self) -> Bool {
    a.all == b.all && a.labels.elementsEqual(b.labels) { $0 == $1 }
  }
}
