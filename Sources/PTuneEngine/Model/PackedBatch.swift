/// The examples of a step, packed: sequences stand end to end, without padding.
public final class PackedBatch: Sendable {
  /// All token ids, special tokens included.
  public let tokens: [Int32]
  /// The segment (0 or 1) of each token.
  public let tokenTypes: [Int32]
  /// Where each sequence begins in `tokens`, and the end: `[count + 1]`.
  public let offsets: [Int32]
  /// Each sequence's task.
  public let tasks: [Int32]
  /// Where in `tokens` what is known of each sequence before anything is generated ends, `[count]`.
  public let contextEnds: [Int32]
  /// Where virtual tokens stand in each sequence: before which of its tokens, in order; end to end.
  public let marks: [Int32]
  /// Where each sequence's marks begin, and the end: `[count + 1]`.
  public let markOffsets: [Int32]
  /// For how many tokens of padding each sequence's last token stands, `[count]`; 0: it belongs to the text.
  public let padding: [Int32]
  /// The sequence that each example begins with, and the end: `[exampleCount + 1]`.
  public let exampleOffsets: [Int32]
  /// What the head's `encode` emitted as integers, end to end.
  public let integers: [Int32]
  /// Where each example's integers begin, and the end: `[exampleCount + 1]`.
  public let integerOffsets: [Int32]
  /// What the head's `encode` emitted as numbers, end to end.
  public let numbers: [Float]
  /// Where each example's numbers begin, and the end: `[exampleCount + 1]`.
  public let numberOffsets: [Int32]
  /// A token that takes no position: it stands in front of the first one. Nil: all take one.
  public let uncountedToken: Int32?
  /// Whether this is a training step.
  public let isTraining: Bool

  /// Number of sequences.
  public var count: Int { offsets.count - 1 }
  /// Number of examples.
  public var exampleCount: Int { exampleOffsets.count - 1 }

  /// One sequence of a batch.
  public struct Sequence: Sendable {
    /// Its token ids, special tokens included.
    public var tokens: [Int32]
    /// The segment (0 or 1) of each token.
    public var tokenTypes: [Int32]
    /// Its task's index in the run.
    public var task: Int32
    /// Integer targets.
    public var integers: [Int32]
    /// Number targets.
    public var numbers: [Float]
    /// Before which token, counted in the sequence, each virtual token of a template stands, in order.
    public var marks: [Int32]
    /// How many of its tokens are known before anything is generated; nil for all.
    public var context: Int32?
    /// For how many tokens of padding its last token stands: it has the position of the last of them, and sees the text and
    /// not itself. 0: it belongs to the text. Causal models alone know padding.
    public var padding: Int32

    /// A sequence with these tokens and targets.
    public init(
      tokens: [Int32], tokenTypes: [Int32]? = nil, task: Int32 = 0, integers: [Int32] = [],
      numbers: [Float] = [], marks: [Int32] = [], context: Int32? = nil, padding: Int32 = 0
    ) {
      self.tokens = tokens
      self.tokenTypes = tokenTypes ?? Array(repeating: 0, count: tokens.count)
      self.task = task
      self.integers = integers
      self.numbers = numbers
      self.marks = marks
      self.context = context
      self.padding = padding
    }
  }

  /// Packs sequences, each an example of its own.
  public convenience init(_ sequences: [Sequence], training: Bool, uncountedToken: Int32? = nil) {
    self.init(examples: sequences.map { [$0] }, training: training, uncountedToken: uncountedToken)
  }

  /// Packs examples of one or more sequences; an example's targets are those of its sequences, end to end. Sequences
  /// of a task have to stand together.
  public init(examples: [[Sequence]], training: Bool, uncountedToken: Int32? = nil) {
    let sequences = examples.flatMap { $0 }
    func offsets(_ counts: [Int]) -> [Int32] {
      counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1)) }
    }
    tokens = sequences.flatMap(\.tokens)
    tokenTypes = sequences.flatMap(\.tokenTypes)
    let begins = offsets(sequences.map(\.tokens.count))
    self.offsets = begins
    contextEnds = sequences.enumerated().map { index, sequence in
      sequence.context.map { begins[index] + $0 } ?? begins[index + 1]
    }
    tasks = sequences.map(\.task)
    marks = sequences.flatMap(\.marks)
    markOffsets = offsets(sequences.map(\.marks.count))
    padding = sequences.map(\.padding)
    integers = sequences.flatMap(\.integers)
    integerOffsets = offsets(examples.map { $0.reduce(0) { $0 + $1.integers.count } })
    numbers = sequences.flatMap(\.numbers)
    numberOffsets = offsets(examples.map { $0.reduce(0) { $0 + $1.numbers.count } })
    exampleOffsets = offsets(examples.map(\.count))
    self.uncountedToken = uncountedToken
    isTraining = training
  }

  /// Where sequence s stands in `tokens`.
  func range(_ sequence: Int) -> Range<Int32> { offsets[sequence]..<offsets[sequence + 1] }

  /// The marks of sequence s.
  func marks(_ sequence: Int) -> ArraySlice<Int32> {
    marks[Int(markOffsets[sequence])..<Int(markOffsets[sequence + 1])]
  }

  /// Where sequences that stand together stand in `tokens`.
  func tokens(of sequences: Range<Int>) -> Range<Int> {
    Int(offsets[sequences.lowerBound])..<Int(offsets[sequences.upperBound])
  }

  /// The sequences of an example.
  func sequences(ofExample example: Int) -> Range<Int> {
    Int(exampleOffsets[example])..<Int(exampleOffsets[example + 1])
  }

  /// How many examples begin among these sequences.
  func exampleCount(of sequences: Range<Int>) -> Int {
    exampleOffsets.dropLast().count { sequences.contains(Int($0)) }
  }

  /// Some of the sequences, as a batch of their own: an example that is cut keeps those of its sequences, and its
  /// targets if its first one is among them.
  func slice(_ sequences: Range<Int>) -> PackedBatch {
    if sequences == 0..<count { return self }
    let examples = (0..<exampleCount).compactMap { example -> [Sequence]? in
      let own = self.sequences(ofExample: example)
      let kept = own.clamped(to: sequences)
      return kept.isEmpty
        ? nil : kept.map { sequence(at: $0, targetsOf: $0 == own.lowerBound ? example : nil) }
    }
    return PackedBatch(examples: examples, training: isTraining, uncountedToken: uncountedToken)
  }

  private func sequence(at index: Int, targetsOf example: Int?) -> Sequence {
    func part<Value>(_ values: [Value], _ offsets: [Int32], _ index: Int?) -> [Value] {
      index.map { Array(values[Int(offsets[$0])..<Int(offsets[$0 + 1])]) } ?? []
    }
    return Sequence(
      tokens: part(tokens, offsets, index), tokenTypes: part(tokenTypes, offsets, index), task: tasks[index],
      integers: part(integers, integerOffsets, example), numbers: part(numbers, numberOffsets, example),
      marks: Array(marks(index)), context: contextEnds[index] - offsets[index],
      padding: padding[index])
  }

  /// The tasks of the batch and the sequences of each; nil if a task's sequences do not stand together.
  var parts: [(task: Int, sequences: Range<Int>)]? {
    var parts: [(task: Int, sequences: Range<Int>)] = []
    for (sequence, task) in tasks.enumerated() {
      if let last = parts.last, last.task == Int(task) {
        parts[parts.count - 1].sequences = last.sequences.lowerBound..<sequence + 1
      } else if parts.contains(where: { $0.task == Int(task) }) {
        return nil
      } else {
        parts.append((Int(task), sequence..<sequence + 1))
      }
    }
    return parts
  }
}
