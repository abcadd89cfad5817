import CPTune

/// Arrays of a batch at fixed addresses, for as long as the scope lasts.
final class BatchView {
  private let batch: PackedBatch
  private var copies: [UnsafeMutablePointer<Int32>] = []
  private let numbers: UnsafeMutablePointer<Float>
  private(set) var sequences = ptune_sequences_v1()
  private(set) var targets = ptune_all_targets_v1()
  /// Where tokens stand in the hidden rows, once they are laid out.
  private(set) var places: ptune_places_v1?

  init(_ batch: PackedBatch) {
    self.batch = batch
    numbers = .allocate(capacity: max(1, batch.numbers.count))
    numbers.initialize(from: batch.numbers, count: batch.numbers.count)
    sequences = ptune_sequences_v1(
      count: batch.count, tokens: copy(batch.tokens), offsets: copy(batch.offsets), tasks: copy(batch.tasks),
      example_count: batch.exampleCount, example_offsets: copy(batch.exampleOffsets),
      context_ends: copy(batch.contextEnds), training: batch.isTraining)
    targets = ptune_all_targets_v1(
      integers: copy(batch.integers), integer_offsets: copy(batch.integerOffsets), numbers: numbers,
      number_offsets: copy(batch.numberOffsets))
  }

  /// Makes the places of a layout known, of which this batch is a part.
  func show(_ layout: Layout, tokens: Range<Int>, sequences: Range<Int>) {
    places = ptune_places_v1(
      text_rows: copy(Array(layout.textRows[tokens])), first_row: copy(Array(layout.firstRow[sequences])))
  }

  deinit {
    for copy in copies { copy.deallocate() }
    numbers.deallocate()
  }

  private func copy(_ values: [Int32]) -> UnsafePointer<Int32> {
    let memory = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, values.count))
    memory.initialize(from: values, count: values.count)
    copies.append(memory)
    return UnsafePointer(memory)
  }
}
