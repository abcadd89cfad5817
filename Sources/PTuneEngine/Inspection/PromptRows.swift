import PTune

/// Rows that an adapter adds to a text, in one place.
public struct PromptRows: Sendable {
  /// Where rows stand.
  public enum Place: Sendable, Equatable {
    /// Among the word embeddings.
    case input
    /// In front of what a layer is given.
    case layer(Int)
    /// As keys of a layer.
    case keys(Int)
    /// As values of a layer.
    case values(Int)
  }

  /// Where they stand.
  public let place: Place
  /// Their values, `[rows][columns]`.
  public let rows: [[Float]]
  /// Whether each text has rows of its own.
  public let isPerText: Bool
}

/// A token of the vocabulary, and how near its row is to another.
public struct NearToken: Sendable, Equatable {
  /// Its id.
  public let id: Int
  /// The cosine of the angle between the two.
  public let cosine: Double
}

/// What is compared with virtual tokens.
public enum VocabularySpace: Sendable {
  /// The word embeddings.
  case input
  /// What the first layer is given for a token that stands alone.
  case firstLayer
}

extension Model {
  /// What an adapter adds to a text of a task, place by place.
  ///
  /// - Parameters:
  ///   - index: the adapter's number.
  ///   - marks: places that the task's template has for virtual tokens.
  /// - Throws: ``EngineFailure`` of the adapter.
  public func promptRows(of index: Int, task: Int = 0, marks: Int = 0) throws -> [PromptRows] {
    try session.scoped {
      session.machine.isTraining = false
      let sequence = PackedBatch.Sequence(
        tokens: [0], task: Int32(task), marks: Array(repeating: 0, count: marks))
      let injections = try inject(PackedBatch([sequence], training: false), only: index)
      var found: [(place: PromptRows.Place, node: Node, isPerText: Bool)] = injections.inputs.map {
        (.input, $0.rows, $0.perSequence)
      }
      for (layer, prefixes) in injections.prefixes.sorted(by: { $0.key < $1.key }) {
        for prefix in prefixes {
          found.append(
            (prefix.values == nil ? .layer(layer) : .keys(layer), prefix.rows, prefix.perSequence))
          if let values = prefix.values { found.append((.values(layer), values, prefix.perSequence)) }
        }
      }
      let values = try session.evaluate(found.map(\.node))
      return zip(found, values).map { found, values in
        PromptRows(
          place: found.place, rows: NamedMatrix("", values, columns: found.node.columns).rows,
          isPerText: found.isPerText)
      }
    }
  }

  /// The tokens whose rows have the largest cosines with some rows, and the mean length of all tokens' rows.
  ///
  /// Lester et al. 2021, https://arxiv.org/abs/2104.08691, section 7, read prompts like this.
  ///
  /// - Parameters:
  ///   - rows: `[rows][hidden]`.
  ///   - count: how many tokens of each, the nearest first.
  /// - Throws: ``EngineFailure`` of the base model.
  public func nearestTokens(to rows: [[Float]], in space: VocabularySpace, count: Int) throws -> (
    near: [[NearToken]], meanNorm: Double
  ) {
    guard let table = session.services.wordTable, !rows.isEmpty, count > 0 else { return ([], 0) }
    let norms = rows.map(norm)
    var near = [[NearToken]](repeating: [], count: rows.count)
    var sum = 0.0
    for first in stride(from: 0, to: table.rows, by: Self.block) {
      let tokens = first..<min(table.rows, first + Self.block)
      try withRows(of: tokens, space) { values, columns in
        guard let start = values.baseAddress else { return }
        for token in tokens {
          let word = UnsafeBufferPointer(start: start + (token - first) * columns, count: columns)
          let length = norm(word)
          sum += length
          for (index, row) in rows.enumerated() where row.count == columns {
            let product = norms[index] * length
            let cosine = product > 0 ? row.withUnsafeBufferPointer { dot($0, word) } / product : 0
            near[index].insert(NearToken(id: token, cosine: cosine), keeping: count)
          }
        }
      }
    }
    // Cosines are the same for rows of any length.
    let scale = space == .input ? Double(abs(session.services.wordScale)) : 1
    return (near, scale * sum / Double(max(1, table.rows)))
  }

  /// Tokens that are looked at together.
  private static var block: Int { 2048 }

  /// The rows of tokens, `[tokens, hidden]`.
  private func withRows(
    of tokens: Range<Int>, _ space: VocabularySpace,
    _ body: (_ values: UnsafeBufferPointer<Float>, _ columns: Int) -> Void
  ) throws {
    if space == .input, let table = session.services.wordTable {
      let start = try table.values + tokens.lowerBound * table.columns
      return body(UnsafeBufferPointer(start: start, count: tokens.count * table.columns), table.columns)
    }
    try session.scoped {
      session.machine.isTraining = false
      let batch = PackedBatch(tokens.map { .init(tokens: [Int32($0)]) }, training: false)
      let pass = ForwardPass(
        batch: batch, injections: InjectionSet(batch: batch), causal: facts?.causal ?? false)
      _ = try run(pass)
      guard let input = pass.inputs[0] else {
        throw failure("forward", "the base model did not call key_rows for layer 0")
      }
      // Only this is computed, not the layers above it.
      try session.evaluate([input]) { body($0[0], input.columns) }
    }
  }
}

private func dot(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) -> Double {
  // Several sums, since one alone would wait for each addition.
  var sums = SIMD8<Float>()
  let whole = a.count / 8 * 8
  for start in stride(from: 0, to: whole, by: 8) {
    for lane in 0..<8 { sums[lane] += a[start + lane] * b[start + lane] }
  }
  return (whole..<a.count).reduce(Double(sums.sum())) { $0 + Double(a[$1]) * Double(b[$1]) }
}

private func norm(_ row: UnsafeBufferPointer<Float>) -> Double { dot(row, row).squareRoot() }

private func norm(_ row: [Float]) -> Double { row.withUnsafeBufferPointer(norm) }

extension [NearToken] {
  /// Puts a token where it belongs, the largest cosines first.
  fileprivate mutating func insert(_ token: NearToken, keeping count: Int) {
    if self.count == count, let last, last.cosine >= token.cosine { return }
    let place = firstIndex { $0.cosine < token.cosine } ?? self.count
    insert(token, at: place)
    if self.count > count { removeLast() }
  }
}
