import CPTune

/// The examples of a step (`ptune.batch/1`). Buffers are valid until the call returns.
public struct Batch {
  let handle: OpaquePointer?
  private var table: ptune_batch_v1? { Host.tables.batch?.pointee }

  /// Wraps the handle a component was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  private var sequences: ptune_sequences_v1 {
    var sequences = ptune_sequences_v1()
    table?.sequences(handle, &sequences)
    return sequences
  }
  private var targets: ptune_all_targets_v1 {
    var targets = ptune_all_targets_v1()
    table?.targets(handle, &targets)
    return targets
  }

  /// Number of sequences.
  public var count: Int { sequences.count }
  /// Whether this is a training step.
  public var isTraining: Bool { sequences.training }
  /// Where each sequence begins in ``tokens``, and the end: `[count + 1]`.
  public var offsets: UnsafeBufferPointer<Int32> {
    let sequences = sequences
    return UnsafeBufferPointer(start: sequences.offsets, count: sequences.count + 1)
  }
  /// The token ids of all sequences, end to end, special tokens included.
  public var tokens: UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: sequences.tokens, count: Int(offsets.last ?? 0))
  }
  /// Where in ``tokens`` what is known of each sequence before anything is generated ends, `[count]`: what an adapter makes
  /// of a sequence's text may depend on nothing behind it.
  public var contextEnds: UnsafeBufferPointer<Int32> {
    let sequences = sequences
    return UnsafeBufferPointer(start: sequences.context_ends, count: sequences.count)
  }
  /// The task of each sequence, `[count]`.
  public var tasks: UnsafeBufferPointer<Int32> {
    let sequences = sequences
    return UnsafeBufferPointer(start: sequences.tasks, count: sequences.count)
  }

  /// The tasks of the batch, in order, and the sequences of each, which stand together.
  public var taskRanges: [(task: Int, sequences: Range<Int>)] {
    var ranges: [(task: Int, sequences: Range<Int>)] = []
    for (sequence, task) in tasks.enumerated() {
      if let last = ranges.last, last.task == Int(task) {
        ranges[ranges.count - 1].sequences = last.sequences.lowerBound..<sequence + 1
      } else {
        ranges.append((Int(task), sequence..<sequence + 1))
      }
    }
    return ranges
  }

  /// Number of examples; those of most heads are one sequence each.
  public var exampleCount: Int { sequences.example_count }
  /// The sequence that each example begins with, and the end: `[exampleCount + 1]`.
  public var exampleOffsets: UnsafeBufferPointer<Int32> {
    let sequences = sequences
    return UnsafeBufferPointer(start: sequences.example_offsets, count: sequences.example_count + 1)
  }

  private func places() throws -> ptune_places_v1 {
    var places = ptune_places_v1()
    try Host.check(table?.places(handle, &places) ?? ptune_status(PTUNE_FAILED), "asking for places")
    return places
  }
  /// The hidden row of each token, in the order of ``tokens``. For heads only.
  public func textRows() throws -> UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: try places().text_rows, count: tokens.count)
  }
  /// The first hidden row of each sequence, virtual tokens included, `[count]`. For heads only.
  public func firstRows() throws -> UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: try places().first_row, count: count)
  }

  /// The integer targets that `encode` emitted, end to end.
  public var integerTargets: UnsafeBufferPointer<Int32> {
    let targets = targets
    return UnsafeBufferPointer(
      start: targets.integers, count: Int(targets.integer_offsets?[exampleCount] ?? 0))
  }
  /// The number targets that `encode` emitted, end to end.
  public var numberTargets: UnsafeBufferPointer<Float> {
    let targets = targets
    return UnsafeBufferPointer(start: targets.numbers, count: Int(targets.number_offsets?[exampleCount] ?? 0))
  }
}
