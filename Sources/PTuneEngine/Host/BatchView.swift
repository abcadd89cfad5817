import CPTune

/// Arrays of a batch at fixed addresses, for as long as the scope lasts.
final class BatchView {
  private let batch: PackedBatch
  private var copies: [HandedArray<Int32>] = []
  private let numbers: HandedArray<Float>
  private(set) var sequences = ptune_sequences_v1()
  private(set) var targets = ptune_all_targets_v1()
  /// Where tokens stand in the hidden rows, once they are laid out.
  private(set) var places: ptune_places_v1?

  init(_ batch: PackedBatch) {
    self.batch = batch
    numbers = HandedArray(batch.numbers, "numbers")
    sequences = ptune_sequences_v1(
      count: batch.count, tokens: copy(batch.tokens, "tokens"), offsets: copy(batch.offsets, "offsets"),
      tasks: copy(batch.tasks, "tasks"), example_count: batch.exampleCount,
      example_offsets: copy(batch.exampleOffsets, "example_offsets"),
      context_ends: copy(batch.contextEnds, "context_ends"), training: batch.isTraining)
    targets = ptune_all_targets_v1(
      integers: copy(batch.integers, "integers"),
      integer_offsets: copy(batch.integerOffsets, "integer_offsets"),
      numbers: UnsafePointer(numbers.pointer), number_offsets: copy(batch.numberOffsets, "number_offsets"))
  }

  /// Makes the places of a layout known, of which this batch is a part.
  func show(_ layout: Layout, tokens: Range<Int>, sequences: Range<Int>) {
    places = ptune_places_v1(
      text_rows: copy(Array(layout.textRows[tokens]), "text_rows"),
      first_row: copy(Array(layout.firstRow[sequences]), "first_row"))
  }

  private func copy(_ values: [Int32], _ name: String) -> UnsafePointer<Int32> {
    let copy = HandedArray(values, name)
    copies.append(copy)
    return UnsafePointer(copy.pointer)
  }
}
