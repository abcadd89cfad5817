import PTune

/// The rows of one forward pass: what stands where, at which position, and which rows attend to which.
///
/// In a causal model an input prompt at the start that all sequences share cannot see their text, so it is computed
/// once, as a segment of its own that every sequence attends to. An encoder's prompt sees the text: each sequence
/// has its own copy.
final class Layout {
  /// A row is token `index` of the text, or row `index` of input injection `source - 1`; text is source 0.
  struct Row {
    var source: Int32
    var index: Int32
  }

  private(set) var rows: [Row] = []
  private(set) var positions: [Int32] = []
  /// Where rows stand, for what depends on distances: their positions, but that a token without a position takes a place.
  private(set) var places: [Int32] = []
  private(set) var tokenTypes: [Int32] = []
  /// The row of each token of the batch.
  private(set) var textRows: [Int32]
  /// The first row of each sequence.
  private(set) var firstRow: [Int32] = []
  /// The rows of each sequence.
  private(set) var sequences: [Range<Int32>] = []
  /// The rows of the prompt that all sequences share, if there is one.
  private(set) var shared: Range<Int32> = 0..<0
  /// Rows of padding, which see no key of their own.
  private var paddingRows: Set<Int32> = []
  let isCausal: Bool

  /// - Precondition: the rows at ``Placement/template`` are as many as each sequence's marks.
  init(_ batch: PackedBatch, _ injections: InjectionSet, causal: Bool) {
    isCausal = causal
    textRows = Array(repeating: 0, count: batch.tokens.count)
    let start = Int32(injections.firstPosition)

    var sharedInputs = Set<Int>()
    if causal {
      for (index, input) in injections.inputs.enumerated()
      where input.isShared {
        sharedInputs.insert(index)
        for row in 0..<input.rows.rows {
          let position = start + Int32(rows.count)
          append(
            Row(source: Int32(index + 1), index: Int32(row)), position: position, place: position, type: 0)
        }
      }
      shared = 0..<Int32(rows.count)
    }

    for sequence in 0..<batch.count {
      let begin = Int32(rows.count)
      var position = start + Int32(shared.count)
      var uncounted: Int32 = 0
      let text = batch.range(sequence)
      let middle = text.lowerBound + Int32(text.count / 2)
      func place(_ placement: Placement) {
        for (index, input) in injections.inputs.enumerated()
        where input.placement == placement && !sharedInputs.contains(index) {
          let length = injections.length(input.rows, perSequence: input.perSequence)
          for row in 0..<length {
            let index32 = Int32(input.perSequence ? sequence * length + row : row)
            append(
              Row(source: Int32(index + 1), index: index32), position: position, place: position + uncounted,
              type: 0)
            position += 1
          }
        }
      }
      let marks = batch.marks(sequence)
      let marked = Self.templateRows(injections, sequence)
      var mark = 0
      func placeMarked(before token: Int32) {
        while mark < marked.count, token >= marks[marks.startIndex + mark] {
          append(marked[mark], position: position, place: position + uncounted, type: 0)
          position += 1
          mark += 1
        }
      }
      place(.start)
      for token in text {
        placeMarked(before: token - text.lowerBound)
        if token == text.lowerBound + 1 { place(.afterFirst) }
        if token == middle { place(.middle) }
        if token == text.upperBound - 1, batch.padding[sequence] > 0 {
          position += batch.padding[sequence] - 1
          paddingRows.insert(Int32(rows.count))
        }
        textRows[Int(token)] = Int32(rows.count)
        let isCounted = batch.tokens[Int(token)] != batch.uncountedToken
        append(
          Row(source: 0, index: token), position: isCounted ? position : -1, place: position + uncounted,
          type: batch.tokenTypes[Int(token)])
        if isCounted { position += 1 } else { uncounted += 1 }
      }
      // A text of one token has its first token at its end, too.
      if text.count <= 1 { place(.afterFirst) }
      if text.isEmpty { place(.middle) }
      placeMarked(before: .max)
      place(.end)
      sequences.append(begin..<Int32(rows.count))
      firstRow.append(shared.isEmpty ? begin : 0)
    }
  }

  /// Texts that go on in a causal model: each token is a row and nothing is injected.
  ///
  /// - Parameter positions: of each token.
  init(continuing batch: PackedBatch, positions: [Int32]) {
    isCausal = true
    textRows = Array(0..<Int32(batch.tokens.count))
    rows = textRows.map { Row(source: 0, index: $0) }
    self.positions = positions
    places = positions
    tokenTypes = batch.tokenTypes
    sequences = (0..<batch.count).map { batch.range($0) }
    firstRow = sequences.map(\.lowerBound)
  }

  /// The rows that a sequence's marks get, in order.
  private static func templateRows(_ injections: InjectionSet, _ sequence: Int) -> [Row] {
    injections.inputs.enumerated().flatMap { index, input -> [Row] in
      guard input.placement == .template else { return [] }
      let length = injections.length(input.rows, perSequence: input.perSequence)
      let first = input.perSequence ? sequence * length : 0
      return (first..<first + length).map { Row(source: Int32(index + 1), index: Int32($0)) }
    }
  }

  private func append(_ row: Row, position: Int32, place: Int32, type: Int32) {
    rows.append(row)
    positions.append(position)
    places.append(place)
    tokenTypes.append(type)
  }

  /// The attention of every sequence, and of the shared prompt, at a layer.
  ///
  /// - Parameters:
  ///   - hiddenRows: how many hidden prefix rows stand before the pass's own rows among the keys.
  ///   - prefix: the keys in front of a sequence's own (nil: in front of the shared prompt's), in order.
  func segments(
    hiddenRows: Int32, prefix: (_ sequence: Int?) -> [AttentionSegment.Keys]
  ) -> (segments: [AttentionSegment], visible: [Int32]?) {
    func own(_ range: Range<Int32>) -> AttentionSegment.Keys {
      AttentionSegment.Keys(source: 0, rows: range.lowerBound + hiddenRows..<range.upperBound + hiddenRows)
    }
    var segments: [AttentionSegment] = []
    var visible = [Int32](repeating: 0, count: isCausal ? rows.count : 0)
    func add(_ queries: Range<Int32>, _ front: [AttentionSegment.Keys]) {
      segments.append(AttentionSegment(queries: queries, keys: front + [own(queries)]))
      guard isCausal else { return }
      let before = front.reduce(0) { $0 + Int32($1.rows.count) }
      for (place, row) in queries.enumerated() { visible[Int(row)] = before + Int32(place) + 1 }
      for row in paddingRows where queries.contains(row) { visible[Int(row)] -= 1 }
    }
    if !shared.isEmpty { add(shared, prefix(nil)) }
    for (index, sequence) in sequences.enumerated() where !sequence.isEmpty {
      add(sequence, prefix(index) + (shared.isEmpty ? [] : [own(shared)]))
    }
    return (segments, isCausal ? visible : nil)
  }
}
