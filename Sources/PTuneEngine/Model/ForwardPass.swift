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
  private(set) var keysAndValues: [Int: (keys: Node, values: Node)] = [:]
  /// The attention of each layer, for those who want to see where it goes.
  private(set) var attentions: [Int: Node] = [:]
  /// These and the key-value prefixes, in turn keys and values, per layer.
  private var keySources: [Int: [Node]] = [:]
  /// How many hidden prefix rows `keyRows` put in front, per layer.
  private var hiddenRows: [Int: Int32] = [:]
  /// What stands in front of the keys of each sequence, per layer.
  private var fronts: [Int: [Front]] = [:]
  private let history: PassHistory
  private let rotaryTables: RotaryTables

  /// A part of what sequences see in front of their own rows.
  private struct Front {
    var source: Int32
    var begin: Int32
    /// Rows of each sequence, or of all together.
    var length: Int32
    var perSequence: Bool

    /// The rows that a sequence sees; nil: the shared prompt.
    func keys(of sequence: Int?) -> AttentionSegment.Keys? {
      guard perSequence else { return AttentionSegment.Keys(source: source, rows: begin..<begin + length) }
      guard let sequence else { return nil }
      let first = begin + Int32(sequence) * length
      return AttentionSegment.Keys(source: source, rows: first..<first + length)
    }
  }

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
    let table = rotaryTables.table(angles, last: positions.max() ?? 0)
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
    var front: [Front] = []
    var begin: Int32 = 0
    for prefix in injections.prefixes[layer, default: []] {
      let length = Int32(injections.length(prefix.rows, perSequence: prefix.perSequence))
      if let values = prefix.values {
        guard prefix.rows.columns == k.columns, values.columns == k.columns else {
          return recorder.fail(
            "layer \(layer): a key-value prefix \(prefix.rows.shapeText) before keys \(k.shapeText)")
        }
        front.append(
          Front(
            source: Int32(sources.count / 2), begin: 0, length: length, perSequence: prefix.perSequence))
        sources += [prefix.rows, values]
      } else {
        front.append(Front(source: 0, begin: begin, length: length, perSequence: prefix.perSequence))
        begin += Int32(prefix.rows.rows)
      }
    }
    (fronts[layer], keySources[layer]) = (front, sources)
    var cached: [KeyValueCache.Block] = []
    let plan = layout.segments(hiddenRows: hiddenRows) { sequence in
      let past = sequence.map { history.blocks($0, layer: layer) } ?? []
      let begin = Int32(sources.count / 2 + cached.count)
      cached += past
      let old = past.indices.map {
        AttentionSegment.Keys(source: begin + Int32($0), rows: 0..<Int32(past[$0].count))
      }
      return old + front.compactMap { $0.keys(of: sequence) }
    }
    let operation = AttentionOperation(
      heads: heads, keyValueHeads: keyValueHeads, segments: plan.segments, visible: plan.visible,
      cached: cached)
    let node = Node(operation, [q] + sources, rows: q.rows, columns: q.columns)
    attentions[layer] = node
    return recorder.session.handle(for: node)
  }

  /// Whether a key row of a layer is a virtual token: one that an adapter put there.
  func isVirtual(_ row: Int32, ofSource source: Int32, layer: Int) -> Bool {
    let own = row - hiddenRows[layer, default: 0]
    return source > 0 || own < 0 || layout.rows[Int(own)].source > 0
  }

  /// What rows of later passes see of this one at a layer; nil where the base model did not attend.
  func keysLeft(_ layer: Int) -> KeysLeft? {
    guard let hiddenRows = hiddenRows[layer], let front = fronts[layer], let sources = keySources[layer]
    else {
      return nil
    }
    func own(_ range: Range<Int32>) -> AttentionSegment.Keys {
      AttentionSegment.Keys(source: 0, rows: range.lowerBound + hiddenRows..<range.upperBound + hiddenRows)
    }
    return KeysLeft(
      sources: sources,
      shared: front.filter { !$0.perSequence }.compactMap { $0.keys(of: nil) } + [own(layout.shared)],
      sequences: layout.sequences.enumerated().map { index, rows in
        front.filter(\.perSequence).compactMap { $0.keys(of: index) } + [own(rows)]
      })
  }

  /// Keys and values of a layer that outlive their pass.
  struct KeysLeft {
    /// Keys and values of each source, in turn.
    let sources: [Node]
    /// Those that all sequences see.
    let shared: [AttentionSegment.Keys]
    /// Those that each sequence sees.
    let sequences: [[AttentionSegment.Keys]]
  }
}
