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
  /// Where virtual tokens stand in each sequence: before which of its tokens, in order; end to end.
  public let marks: [Int32]
  /// Where each sequence's marks begin, and the end: `[count + 1]`.
  public let markOffsets: [Int32]
  /// What the head's `encode` emitted as integers, end to end.
  public let integers: [Int32]
  /// Where each sequence's integers begin, and the end: `[count + 1]`.
  public let integerOffsets: [Int32]
  /// What the head's `encode` emitted as numbers, end to end.
  public let numbers: [Float]
  /// Where each sequence's numbers begin, and the end: `[count + 1]`.
  public let numberOffsets: [Int32]
  /// Whether this is a training step.
  public let isTraining: Bool

  /// Number of sequences.
  public var count: Int { offsets.count - 1 }

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

    /// A sequence with these tokens and targets.
    public init(
      tokens: [Int32], tokenTypes: [Int32]? = nil, task: Int32 = 0, integers: [Int32] = [],
      numbers: [Float] = [], marks: [Int32] = []
    ) {
      self.tokens = tokens
      self.tokenTypes = tokenTypes ?? Array(repeating: 0, count: tokens.count)
      self.task = task
      self.integers = integers
      self.numbers = numbers
      self.marks = marks
    }
  }

  /// Packs sequences.
  public init(_ sequences: [Sequence], training: Bool) {
    func offsets(_ counts: [Int]) -> [Int32] {
      counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1)) }
    }
    tokens = sequences.flatMap(\.tokens)
    tokenTypes = sequences.flatMap(\.tokenTypes)
    self.offsets = offsets(sequences.map(\.tokens.count))
    tasks = sequences.map(\.task)
    marks = sequences.flatMap(\.marks)
    markOffsets = offsets(sequences.map(\.marks.count))
    integers = sequences.flatMap(\.integers)
    integerOffsets = offsets(sequences.map(\.integers.count))
    numbers = sequences.flatMap(\.numbers)
    numberOffsets = offsets(sequences.map(\.numbers.count))
    isTraining = training
  }

  /// Where sequence s stands in `tokens`.
  func range(_ sequence: Int) -> Range<Int32> { offsets[sequence]..<offsets[sequence + 1] }

  /// The marks of sequence s.
  func marks(_ sequence: Int) -> ArraySlice<Int32> {
    marks[Int(markOffsets[sequence])..<Int(markOffsets[sequence + 1])]
  }
}
