import PTune

/// One forward pass of a base model: answers `ptune.forward/1` from a layout and the injections.
final class ForwardPass {
  let batch: PackedBatch
  let injections: InjectionSet
  let layout: Layout
  /// Positions and token types at fixed addresses, for as long as the pass lasts.
  let positions: UnsafeMutablePointer<Int32>
  let tokenTypes: UnsafeMutablePointer<Int32>
  /// What the base model passed to `keyRows` and to `attention`, per layer.
  private(set) var inputs: [Int: Node] = [:]
  private(set) var keysAndValues: [Int: (keys: Node, values: Node)] = [:]
  /// How many hidden prefix rows `keyRows` put in front, per layer.
  private var hiddenRows: [Int: Int32] = [:]
  /// Cosines and sines of this pass's positions, mostly of one rotation.
  private var rotaryTables: [RotaryTable] = []

  init(batch: PackedBatch, injections: InjectionSet, causal: Bool) {
    self.batch = batch
    self.injections = injections
    layout = Layout(batch, injections, causal: causal)
    positions = .allocate(capacity: max(1, layout.rows.count))
    tokenTypes = .allocate(capacity: max(1, layout.rows.count))
    positions.initialize(from: layout.positions, count: layout.rows.count)
    tokenTypes.initialize(from: layout.tokenTypes, count: layout.rows.count)
  }

  deinit {
    positions.deallocate()
    tokenTypes.deallocate()
  }

  func inputRows(_ table: Node, _ recorder: Recorder) -> OpaquePointer? {
    if let wrong = batch.tokens.first(where: { $0 < 0 || $0 >= table.rows }) {
      return recorder.fail("token \(wrong) is not in the base model's vocabulary of \(table.rows)")
    }
    return recorder.assemble(
      [table] + injections.inputs.map(\.rows), layout.rows.map(\.source),
      layout.rows.map { $0.source == 0 ? batch.tokens[Int($0.index)] : $0.index })
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
    let last = positions.max() ?? 0
    let table: RotaryTable
    if let known = rotaryTables.first(where: { $0.angles == angles && $0.last >= last }) {
      table = known
    } else {
      table = RotaryTable(angles, last: last)
      rotaryTables.append(table)
    }
    let operation = RotaryOperation(
      heads: heads, isInterleaved: isInterleaved, positions: positions, table: table)
    return recorder.add(operation, [x], rows: x.rows, columns: x.columns)
  }

  func attention(
    _ layer: Int, _ q: Node, _ k: Node, _ v: Node, _ heads: Int, _ keyValueHeads: Int, _ recorder: Recorder
  ) -> OpaquePointer? {
    guard let hiddenRows = hiddenRows[layer] else {
      return recorder.fail(
        "key_rows was not called for layer \(layer); keys and values are computed from its rows")
    }
    let keyCount = layout.rows.count + Int(hiddenRows)
    guard heads > 0, keyValueHeads > 0, heads % keyValueHeads == 0, q.columns % heads == 0,
      q.rows == layout.rows.count, k.rows == keyCount, v.rows == keyCount,
      k.columns == q.columns / heads * keyValueHeads, v.columns == k.columns
    else {
      return recorder.fail(
        "layer \(layer): queries \(q.shapeText), keys \(k.shapeText), values \(v.shapeText), \(heads) heads, "
          + "\(keyValueHeads) key-value heads, \(layout.rows.count) rows and \(hiddenRows) prefix rows")
    }
    keysAndValues[layer] = (k, v)
    var sources = [k, v]
    // What each sequence sees in front of its own rows: (source, rows, per sequence).
    var front: [(source: Int32, begin: Int32, length: Int32, perSequence: Bool)] = []
    var begin: Int32 = 0
    for prefix in injections.prefixes[layer, default: []] {
      let length = Int32(injections.length(prefix.rows, perSequence: prefix.perSequence))
      if let values = prefix.values {
        guard prefix.rows.columns == k.columns, values.columns == k.columns else {
          return recorder.fail(
            "layer \(layer): a key-value prefix \(prefix.rows.shapeText) before keys \(k.shapeText)")
        }
        front.append((Int32(sources.count / 2), 0, length, prefix.perSequence))
        sources += [prefix.rows, values]
      } else {
        front.append((0, begin, length, prefix.perSequence))
        begin += Int32(prefix.rows.rows)
      }
    }
    let plan = layout.segments(hiddenRows: hiddenRows) { sequence in
      front.compactMap { part in
        guard part.perSequence else {
          return AttentionSegment.Keys(source: part.source, rows: part.begin..<part.begin + part.length)
        }
        guard let sequence else { return nil }
        let first = part.begin + Int32(sequence) * part.length
        return AttentionSegment.Keys(source: part.source, rows: first..<first + part.length)
      }
    }
    let operation = AttentionOperation(
      heads: heads, keyValueHeads: keyValueHeads, segments: plan.segments, visible: plan.visible)
    return recorder.add(operation, [q] + sources, rows: q.rows, columns: q.columns)
  }
}
