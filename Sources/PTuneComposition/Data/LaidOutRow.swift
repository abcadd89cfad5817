import PTuneEngine
import PTuneText

/// A row as the model and as a head read it: one sequence, or several.
package struct LaidOutRow {
  /// As a head sees it.
  package let row: ExampleRow
  /// Token ids of all sequences, end to end.
  package let tokens: [Int32]
  /// Their token types.
  let types: [Int32]
  /// Where each sequence begins in `tokens`, and the end.
  let offsets: [Int32]
  /// In front of which token each virtual token of a template stands; a template makes one sequence.
  let marks: [Int32]
  /// Of each sequence, how many tokens stand before the first that is to be guessed; empty where none is.
  var contexts: [Int32] = []
  /// How many padding tokens the last token represents; 0: it belongs to the text.
  package var padding: Int32 = 0
  /// The text and the second one, as the row has them.
  package var texts: (text: String?, pair: String?) { (row.fields["text"], row.fields["text_pair"]) }
  /// Pieces that did not fit.
  package let dropped: Int

  init(_ encodings: [Encoding], fields: [String: String]) {
    tokens = encodings.flatMap(\.ids)
    types = encodings.flatMap(\.types)
    offsets = encodings.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1.count)) }
    marks = encodings.flatMap(\.marks)
    dropped = encodings.reduce(0) { $0 + $1.dropped }
    row = ExampleRow(
      fields: fields, tokens: tokens,
      spans: encodings.flatMap { encoding in
        encoding.ids.indices.map {
          (Int(encoding.sources[$0]), Int(encoding.begins[$0])..<Int(encoding.ends[$0]))
        }
      }, offsets: offsets)
  }

  init(_ given: GivenTokens, fields: [String: String]) {
    tokens = given.ids
    types = given.types
    offsets = [0, Int32(given.ids.count)]
    marks = []
    dropped = 0
    padding = Int32(given.padding)
    let outside = given.ids.map { _ in (field: Int(Encoding.special), range: 0..<0) }
    row = ExampleRow(fields: fields, tokens: given.ids, spans: outside)
  }

  /// As a batch takes it.
  ///
  /// - Parameter source: kept for evaluations.
  package func example(
    file: String? = nil, line: Int, integers: [Int32] = [], numbers: [Float] = [], source: TokenizedRow? = nil
  ) -> EncodedExample {
    EncodedExample(
      tokens: tokens, types: types, offsets: offsets, marks: marks, contexts: contexts, integers: integers,
      numbers: numbers, padding: padding, file: file, line: line, dropped: dropped, row: source)
  }
}

extension Composition {
  /// Lays out a row of a task: tokens with special tokens, cut to length or into windows.
  ///
  /// - Throws: ``DataError/row(path:line:reason:)`` for a row that does not fit or that the head refuses.
  package func layOut(_ row: TokenizedRow, task: Int, path: String) throws -> LaidOutRow {
    switch row.content {
    case .pieces(let first, let second):
      let encoding = try tokenizer.encode(pieces: first, pair: second, maximumLength: maximumLength)
      return LaidOutRow([encoding], fields: row.fields)
    case .continued(let first, let second, let end, isJoined: _):
      let encoding = try tokenizer.encode(
        continuing: first, with: second, end: end, maximumLength: maximumLength)
      guard encoding.count > 0 else {
        throw DataError.row(path: path, line: row.line, reason: "the text is empty: it has no tokens")
      }
      var laidOut = LaidOutRow([encoding], fields: row.fields)
      laidOut.contexts = [encoding.context(isCompletion: second != nil)]
      return laidOut
    case .templated(let text):
      let encoding = try tokenizer.encode(
        text, virtualTokens: model.adapterPositions, maximumLength: maximumLength)
      return LaidOutRow([encoding], fields: row.fields)
    case .chat(let texts):
      let encodings = texts.map { tokenizer.encode($0, maximumLength: maximumLength) }
        .filter { $0.sources.contains(1) }
      guard !encodings.isEmpty else {
        throw DataError.row(
          path: path, line: row.line,
          reason: texts.contains { $0.isAnswer.contains(true) }
            ? "in 'messages', no word of the assistant is within the first \(maximumLength) tokens"
            : "in 'messages', the assistant says nothing, so there is nothing to learn")
      }
      var laidOut = LaidOutRow(encodings, fields: row.fields)
      laidOut.contexts = encodings.map { Int32(max(1, $0.sources.firstIndex(of: 1) ?? 1)) }
      return laidOut
    case .tokens(let given):
      // Which tokens could be cut only the one who made them knows.
      let count = given.ids.count + max(0, given.padding - 1)
      guard count <= maximumLength else {
        throw DataError.row(
          path: path, line: row.line,
          reason: "'\(GivenTokens.idsColumn)' has \(count) ids; at most \(maximumLength) fit")
      }
      let types = try tokenTypes
      if let type = given.types.first(where: { $0 >= types }) {
        throw DataError.row(
          path: path, line: row.line,
          reason:
            "'\(GivenTokens.typesColumn)' contains \(type), but the base model's types are 0 to \(types - 1)"
            + " (type_vocab_size in its config.json)")
      }
      var laidOut = LaidOutRow(given, fields: row.fields)
      if reading(task: task) == .continuedText { laidOut.contexts = [1] }
      return laidOut
    case .fields:
      try tokenizer.checkPresent()
      do {
        let whole = ExampleRow(fields: row.fields)
        let inputs = try model.arrange(whole, task: task)
        noteColumns(whole.asked, task: task)
        return LaidOutRow(try inputs.flatMap(encodings), fields: row.fields)
      } catch let failure as EngineFailure {
        throw DataError.row(path: path, line: row.line, reason: failure.reason)
      } catch let error as TextError {
        throw DataError.row(
          path: path, line: row.line, reason: error.help.map { "\(error); \($0)" } ?? "\(error)")
      }
    }
  }

  /// Remembers which columns a head takes by their names, without the run naming them.
  private func noteColumns(_ asked: Set<String>, task: Int) {
    guard columnsTaken[task] == nil else { return }
    let data = tasks[task].data
    let known = data.namedFields + ["text", "text_pair", "label", RowSource.namedFieldsField]
    columnsTaken[task] = asked.subtracting(known).sorted()
  }

  /// How many types of tokens rows may name. A model of one type, or of none, does not tell two texts apart, whatever its
  /// tokenizer makes of them.
  private var tokenTypes: Int {
    get throws { max(2, try checkpoint.config.integer("type_vocab_size") ?? 2) }
  }

  private func encodings(_ input: ArrangementCollector.Input) throws -> [Encoding] {
    let (first, second) = (pieces.of(input.first), input.second.map { pieces.of($0) })
    guard input.cut != .longer else {
      return [try tokenizer.encode(pieces: first, pair: second, maximumLength: maximumLength)]
    }
    let side = input.cut == .first ? TextSide.first : .second
    guard let overlap = input.overlap else {
      return [
        try tokenizer.encode(pieces: first, pair: second, cutting: side, maximumLength: maximumLength)
      ]
    }
    return try tokenizer.windows(
      pieces: first, pair: second, over: side, overlap: overlap, maximumLength: maximumLength)
  }
}

extension Encoding {
  /// How many tokens stand before the first that is to be guessed: the text before its completion; of a text alone the
  /// special tokens in front. The first token is never guessed.
  ///
  /// - Parameter isCompletion: whether there are two texts, of which the second is the completion.
  fileprivate func context(isCompletion: Bool) -> Int32 {
    let known =
      isCompletion ? (sources.lastIndex(of: 0) ?? -1) + 1 : sources.prefix { $0 == Self.special }.count
    return Int32(max(1, known))
  }
}

/// The pieces of the latest texts: rows that follow each other often share one, as the questions about a paragraph do.
final class PieceCache {
  private let tokenizer: any Tokenizer
  private var latest: [(text: String, pieces: [TokenPiece])] = []
  private static let size = 4

  init(_ tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

  func of(_ text: String) -> [TokenPiece] {
    // Compared by bytes: two texts that Unicode calls equal have pieces at different places.
    if let known = latest.first(where: { $0.text.utf8.elementsEqual(text.utf8) }) { return known.pieces }
    if latest.count == Self.size { latest.removeFirst() }
    latest.append((text, tokenizer.pieces(text)))
    return latest[latest.count - 1].pieces
  }
}
