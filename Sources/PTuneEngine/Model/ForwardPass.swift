import PTune

/// One forward pass of a base model: answers `ptune.forward/1` from a layout and the injections.
final class ForwardPass {
  let batch: PackedBatch
  let injections: InjectionSet
  let layout: Layout
  /// Positions and token types at fixed addresses, for as long as the pass lasts.
  let positions: HandedArray<Int32>
  let tokenTypes: HandedArray<Int32>
  /// What the base model passed to `keyRows` and to `attention`, per layer.
  private(set) var inputs: [Int: Node] = [:]
  var keysAndValues: [Int: (keys: Node, values: Node)] = [:]
  /// The attention of each layer, for those who want to see where it goes.
  var attentions: [Int: Node] = [:]
  /// These and the key-value prefixes, in turn keys and values, per layer.
  var keySources: [Int: [Node]] = [:]
  /// How many hidden prefix rows `keyRows` put in front, per layer.
  private(set) var hiddenRows: [Int: Int32] = [:]
  /// What stands in front of the keys of each sequence, per layer.
  var fronts: [Int: [Front]] = [:]
  let history: PassHistory
  /// Positions of key rows that were asked for, at fixed addresses.
  private var keyPositionBuffers: [Int: UnsafeMutableBufferPointer<Int32>] = [:]
  private let rotaryTables: RotaryTables

  convenience init(batch: PackedBatch, injections: InjectionSet, causal: Bool) {
    self.init(batch: batch, injections: injections, layout: Layout(batch, injections, causal: causal))
  }

  /// - Parameters:
  ///   - history: what earlier passes left for these sequences.
  ///   - rotaryTables: those of the passes before.
  init(
    batch: PackedBatch, injections: InjectionSet, layout: Layout, history: PassHistory = PassHistory(),
    rotaryTables: RotaryTables = RotaryTables()
  ) {
    self.batch = batch
    self.injections = injections
    self.layout = layout
    self.history = history
    self.rotaryTables = rotaryTables
    positions = HandedArray(layout.positions, "positions")
    tokenTypes = HandedArray(layout.tokenTypes, "token_types")
  }

  deinit {
    for buffer in keyPositionBuffers.values { buffer.deallocate() }
  }

  func inputRows(_ table: Node, _ recorder: Recorder) -> OpaquePointer? {
    if let wrong = batch.tokens.first(where: { $0 < 0 || $0 >= table.rows }) {
      return recorder.fail("token \(wrong) is not in the base model's vocabulary of \(table.rows)")
    }
    let injected = injections.inputs.map(\.rows)
    let scale = recorder.session.services.wordScale
    guard scale != 1 else {
      return recorder.assemble(
        [table] + injected, layout.rows.map(\.source),
        layout.rows.map { $0.source == 0 ? batch.tokens[Int($0.index)] : $0.index })
    }
    guard let words = recorder.node(recorder.gather(recorder.session.handle(for: table), batch.tokens)) else {
      return nil
    }
    let scaled = Node(
      AffineOperation(scale: scale, shift: 0), [words], rows: words.rows, columns: words.columns)
    _ = recorder.session.handle(for: scaled)
    return recorder.assemble(
      [scaled] + injected, layout.rows.map(\.source), layout.rows.map(\.index))
  }

  func keyRows(_ layer: Int, _ x: Node, _ recorder: Recorder) -> OpaquePointer? {
    inputs[layer] = x
    let prefixes = injections.prefixes[layer, default: []].filter { $0.values == nil }.map(\.rows)
    hiddenRows[layer] = prefixes.reduce(0) { $0 + Int32($1.rows) }
    if prefixes.isEmpty { return recorder.session.handle(for: x) }
    let sources = prefixes + [x]
    return recorder.assemble(
      sources, sources.enumerated().flatMap { Array(repeating: Int32($0), count: $1.rows) },
      sources.flatMap { (0..<$0.rows).map(Int32.init) })
  }

  /// The position of each key row of a layer: hidden prefix rows count from 0, each sequence's own as well.
  func keyPositions(_ layer: Int, _ recorder: Recorder) -> [Int32]? {
    guard hiddenRows[layer] != nil else {
      _ = recorder.fail("key_rows was not called for layer \(layer); keys are computed from its rows")
      return nil
    }
    var positions: [Int32] = []
    var first = 0
    for prefix in injections.prefixes[layer, default: []] where prefix.values == nil {
      let length = injections.length(prefix.rows, perSequence: prefix.perSequence)
      positions += (0..<prefix.rows.rows).map { Int32(first + $0 % max(1, length)) }
      first += length
    }
    return positions + layout.positions
  }

  /// The same, for as long as the pass lasts.
  func keptKeyPositions(_ layer: Int, _ recorder: Recorder) -> UnsafeMutableBufferPointer<Int32>? {
    if let known = keyPositionBuffers[layer] { return known }
    guard let positions = keyPositions(layer, recorder) else { return nil }
    let buffer = UnsafeMutableBufferPointer<Int32>.allocate(capacity: positions.count)
    _ = buffer.initialize(from: positions)
    keyPositionBuffers[layer] = buffer
    return buffer
  }

  func rotate(
    _ x: Node, _ heads: Int, _ angles: RotaryAngles, isInterleaved: Bool, _ positions: [Int32],
    _ recorder: Recorder
  ) -> OpaquePointer? {
    guard heads > 0, x.columns % heads == 0, 2 * angles.frequencies.count <= x.columns / heads,
      x.rows == positions.count
    else {
      return recorder.fail(
        "\(x.shapeText) with \(heads) heads and \(angles.frequencies.count) pairs at \(positions.count) positions"
      )
    }
    let table = rotaryTables.table(angles, last: positions.max() ?? 0)
    let operation = RotaryOperation(
      heads: heads, isInterleaved: isInterleaved, positions: positions, table: table)
    return recorder.add(operation, [x], rows: x.rows, columns: x.columns)
  }
}
