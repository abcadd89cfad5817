/// An entity as tags spell it.
public struct Entity: Hashable {
  /// What it is: `PER` of `B-PER`.
  public let label: String
  /// Its words, as places in the list of tags.
  public let words: Range<Int>

  /// The entities of a list of tags, BIO, IOB2 or IOBES, also of one that breaks the scheme's rules.
  ///
  /// Source: conlleval, in the form of seqeval's default mode (`get_entities`).
  public static func all(in tags: [String]) -> [Entity] {
    var entities: [Entity] = []
    var begin = 0
    var before = Tag("O")
    for (index, text) in (tags + ["O"]).enumerated() {
      let tag = Tag(text)
      if before.ends(before: tag) { entities.append(Entity(label: before.label, words: begin..<index)) }
      if tag.begins(after: before) { begin = index }
      before = tag
    }
    return entities
  }
}

/// `B-PER`: what the word is to the entity, and the entity's label.
private struct Tag {
  /// The first letter: B begins, I goes on, E ends, S is an entity of one word, O is none.
  let prefix: Character
  let label: String

  init(_ text: String) {
    prefix = text.first ?? "O"
    let rest = text.dropFirst()
    let label = rest.first == "-" ? rest.dropFirst() : rest.split(separator: "-", maxSplits: 1).last ?? rest
    self.label = label.isEmpty ? "_" : String(label)
  }

  private var isOutside: Bool { prefix == "O" || prefix == "." }

  /// Whether an entity that this tag is part of is over before the next tag.
  func ends(before next: Tag) -> Bool {
    switch (prefix, next.prefix) {
    case ("E", _), ("S", _): true
    case ("B", "B"), ("B", "S"), ("B", "O"), ("I", "B"), ("I", "S"), ("I", "O"): true
    default: !isOutside && label != next.label
    }
  }

  /// Whether this tag is the first of an entity, after this one.
  func begins(after before: Tag) -> Bool {
    switch (before.prefix, prefix) {
    case (_, "B"), (_, "S"): true
    case ("E", "E"), ("E", "I"), ("S", "E"), ("S", "I"), ("O", "E"), ("O", "I"): true
    default: !isOutside && label != before.label
    }
  }
}

/// Counts entities and words over texts.
public struct EntityMetrics {
  private var correct = 0.0
  private var expected = 0.0
  private var found = 0.0
  private var words = 0.0
  private var correctWords = 0.0

  /// Of no text yet.
  public init() {}

  /// Counts a text.
  public mutating func add(targets: [String], predicted: [String]) {
    let (wanted, got) = (Set(Entity.all(in: targets)), Set(Entity.all(in: predicted)))
    correct += Double(wanted.intersection(got).count)
    expected += Double(wanted.count)
    found += Double(got.count)
    words += Double(targets.count)
    correctWords += Double(zip(targets, predicted).count { $0 == $1 })
  }

  /// Of the entities that were found, the share that are right, label and words.
  public var precision: Double { found == 0 ? 0 : correct / found }
  /// Of the entities that there are, the share that were found.
  public var recall: Double { expected == 0 ? 0 : correct / expected }
  /// The harmonic mean of both.
  public var f1: Double { found + expected == 0 ? 0 : 2 * correct / (found + expected) }
  /// The share of words with the right tag.
  public var accuracy: Double { words == 0 ? 0 : correctWords / words }
}
