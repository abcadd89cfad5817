import CPTune

/// `ptune.attention/1`
enum AttentionTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_attention_v1(
      struct_size: MemoryLayout<ptune_attention_v1>.size,
      attend: { pointer, layer, q, k, v, heads, keyValueHeads, terms, count in
        guard let recorder = Recorder("attend"), let q = recorder.node(q), let k = recorder.node(k),
          let v = recorder.node(v), let pass = recorder.session.object(pointer, .forward, ForwardPass.self),
          let list = recorder.array(terms, count, "terms")
        else { return nil }
        guard heads > 0, q.columns % heads == 0 else {
          return recorder.fail("queries \(q.shapeText) with \(heads) heads")
        }
        var reader = TermReader(recorder: recorder, layer: layer, heads: heads, columns: q.columns)
        for term in list {
          guard reader.read(term) else { return nil }
        }
        return pass.attention(layer, q, k, v, heads, keyValueHeads, reader.terms, recorder)
      },
      key_positions: { pointer, layer, out in
        guard let recorder = Recorder("key_positions"),
          let pass = recorder.session.object(pointer, .forward, ForwardPass.self),
          let positions = pass.keptKeyPositions(layer, recorder)
        else { return 0 }
        out?.pointee = UnsafePointer(positions.baseAddress)
        return positions.count
      }))
}

/// Reads the terms that a plugin lists, and says what is wrong with one.
private struct TermReader {
  let recorder: Recorder
  let layer, heads: Int
  /// Of the queries.
  let columns: Int
  private(set) var terms = GivenTerms()
  private var kinds: Set<Int32> = []

  init(recorder: Recorder, layer: Int, heads: Int, columns: Int) {
    (self.recorder, self.layer, self.heads, self.columns) = (recorder, layer, heads, columns)
  }

  /// Distances of more than this are as good as without a limit.
  private static let farthest = Int(Int32.max) / 2

  private func fail(_ what: String) -> Bool {
    _ = recorder.fail("layer \(layer): \(what)")
    return false
  }

  mutating func read(_ term: ptune_attention_term_v1) -> Bool {
    guard kinds.insert(term.kind).inserted else { return fail("two terms of the kind \(term.kind)") }
    guard let value = term.value else { return fail("a term of the kind \(term.kind) with no value") }
    switch Int(term.kind) {
    case PTUNE_ATTENTION_SCALE:
      let scale = value.load(as: Float.self)
      guard scale.isFinite else { return fail("a scale of \(scale)") }
      terms.scale = scale
    case PTUNE_ATTENTION_SOFT_CAP:
      let cap = value.load(as: Float.self)
      guard cap > 0, cap.isFinite else { return fail("a soft cap of \(cap); it has to be above 0") }
      terms.softCap = cap
    case PTUNE_ATTENTION_WINDOW:
      let window = value.load(as: ptune_window_v1.self)
      terms.window = .init(
        left: limit(window.left), right: limit(window.right), keepsInjected: window.keeps_injected)
    case PTUNE_ATTENTION_ALIBI:
      guard let slopes = recorder.array(value.assumingMemoryBound(to: Float.self), heads, "slopes") else {
        return false
      }
      guard slopes.allSatisfy(\.isFinite) else { return fail("slopes that are no numbers") }
      terms.slopes = slopes
    case PTUNE_ATTENTION_RELATIVE_BIAS:
      guard let table = relative(value, columns: heads, "a relative bias") else { return false }
      terms.bias = table
    case PTUNE_ATTENTION_CONTENT_TO_POSITION:
      guard let table = relative(value, columns: columns, "content to position") else { return false }
      terms.contentToPosition = table
    case PTUNE_ATTENTION_POSITION_TO_CONTENT:
      guard let table = relative(value, columns: columns, "position to content") else { return false }
      terms.positionToContent = table
    case PTUNE_ATTENTION_SINKS:
      guard let sinks = recorder.node(OpaquePointer(value)) else { return false }
      guard sinks.count == heads else { return fail("sinks \(sinks.shapeText) for \(heads) heads") }
      terms.sinks = sinks
    default:
      return fail("a term of the kind \(term.kind), which this ptune does not know; use a newer one")
    }
    return true
  }

  /// A size_t, of which the largest is without a limit.
  private func limit(_ distance: Int) -> Int32 {
    (0..<Self.farthest).contains(distance) ? Int32(distance) : .max
  }

  private func relative(_ value: UnsafeRawPointer, columns: Int, _ what: String) -> GivenTerms.Relative? {
    let given = value.load(as: ptune_relative_v1.self)
    guard let table = recorder.node(given.table),
      let buckets = recorder.array(given.buckets, given.distances, "distances")
    else { return nil }
    guard table.columns == columns, !buckets.isEmpty, abs(Int(given.first)) <= Self.farthest else {
      _ = fail(
        "\(what): a table \(table.shapeText) of \(columns) columns for \(buckets.count) distances from "
          + "\(given.first)")
      return nil
    }
    if let wrong = buckets.first(where: { $0 < 0 || $0 >= table.rows }) {
      _ = fail("\(what): bucket \(wrong) of a table \(table.shapeText)")
      return nil
    }
    return GivenTerms.Relative(table: table, buckets: buckets, first: given.first)
  }
}
