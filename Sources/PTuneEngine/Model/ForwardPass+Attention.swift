extension ForwardPass {
  /// A part of what sequences see in front of their own rows.
  struct Front {
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

  /// - Parameter terms: what is added to a score besides the product.
  func attention(
    _ layer: Int, _ q: Node, _ k: Node, _ v: Node, _ heads: Int, _ keyValueHeads: Int,
    _ terms: GivenTerms, _ recorder: Recorder
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
    var operation = AttentionOperation(
      heads: heads, keyValueHeads: keyValueHeads, segments: plan.segments, visible: plan.visible,
      cached: cached, scale: terms.scale)
    var inputs = [q] + sources
    if terms.dependOnMore {
      var places = keyPlaces(layer)
      for block in cached { places.appendSource(block.places, injected: block.injected) }
      operation.terms = terms.resolved(places, segments: plan.segments, isCausal: layout.isCausal, &inputs)
    }
    let node = Node(operation, inputs, rows: q.rows, columns: q.columns)
    attentions[layer] = node
    return recorder.session.handle(for: node)
  }

  /// Where this pass's rows and the keys of its own sources stand at a layer.
  ///
  /// Injected keys stand in front of a sequence's first row: those that all sequences share next to it, the ones of each
  /// sequence before these.
  func keyPlaces(_ layer: Int) -> KeyPlaces {
    let front = fronts[layer, default: []]
    let start = injections.sequenceStart
    func total(perSequence: Bool) -> Int32 {
      front.reduce(0) { $0 + ($1.perSequence == perSequence ? $1.length : 0) }
    }
    // What all sequences share was injected in this pass or in the first one.
    let shared = total(perSequence: false) + (history.shared?.injectedCount(layer: layer) ?? 0)
    var next = (shared: start - shared, own: start - shared - total(perSequence: true))
    var hidden: [Int32] = []
    var others: [[Int32]] = []
    for part in front {
      let first = part.perSequence ? next.own : next.shared
      let rows = Array(first..<first + part.length)
      if part.perSequence { next.own += part.length } else { next.shared += part.length }
      let all = part.perSequence ? Array(repeatElement(rows, count: batch.count).joined()) : rows
      if part.source == 0 { hidden += all } else { others.append(all) }
    }
    var places = KeyPlaces(queries: layout.places)
    places.appendSource(
      hidden + layout.places,
      injected: Array(repeating: 1, count: hidden.count) + Array(repeating: 0, count: layout.places.count))
    for rows in others { places.appendSource(rows, injected: Array(repeating: 1, count: rows.count)) }
    return places
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
      },
      places: keyPlaces(layer))
  }

  /// Keys and values of a layer that outlive their pass.
  struct KeysLeft {
    /// Keys and values of each source, in turn.
    let sources: [Node]
    /// Those that all sequences see.
    let shared: [AttentionSegment.Keys]
    /// Those that each sequence sees.
    let sequences: [[AttentionSegment.Keys]]
    /// Where they stand.
    let places: KeyPlaces
  }
}
