import PTuneEngine
import PTuneFormats
import PTuneText
import TestSupport
import Testing

/// The real MiniLM that Scripts/setup/fetch-demo brings; `make test` fetches it first.
@Suite("The real MiniLM") struct RealModelTests {
  static let folder = try? ModelResolver().resolve("sentence-transformers/all-MiniLM-L6-v2").folder

  @Test(
    "tokens and hidden rows equal transformers'",
    .enabled(if: folder != nil, "run Scripts/setup/fetch-demo first"))
  func reference() throws {
    let folder = try #require(Self.folder)
    let tokenizer = try TokenizerLoader.load(folder)
    let model = try Workbench.base(checkpoint: folder)
    let cases = Workbench.cases("minilm-reference").map(\.json)
    try #require(cases.count >= 5)
    let sequences = try cases.map { reference in
      let tokens = try tokenizer.encode(try reference.text("text")).ids
      #expect(tokens == (try reference.integers("tokens")))
      return PackedBatch.Sequence(tokens: tokens)
    }
    // All in one batch, so that sequences of unequal lengths stand beside each other.
    let (values, textRows) = try model.hiddenRows(PackedBatch(sequences, training: false))
    let size = try #require(model.facts).hiddenSize
    var begin = 0
    for (sequence, reference) in zip(sequences, cases) {
      let rows = textRows[begin..<begin + sequence.tokens.count].map { Int($0) * size }
      begin += sequence.tokens.count
      func ends(_ row: Int) -> [Float] { Array(values[row..<row + 8] + values[row + size - 8..<row + size]) }
      #expect(absoluteDifference(ends(try #require(rows.first)), try reference.floats("first_row")) < 1e-4)
      #expect(absoluteDifference(ends(try #require(rows.last)), try reference.floats("last_row")) < 1e-4)
      let squares = rows.flatMap { values[$0..<$0 + size] }.reduce(0.0) { $0 + Double($1) * Double($1) }
      let norm = try #require(reference["norm"]?.doubleValue)
      #expect(abs(squares.squareRoot() - norm) < 1e-4 * norm)
    }
  }
}

extension JSONValue {
  fileprivate func floats(_ key: String) throws -> [Float] {
    try list(key).map { Float(try #require($0.doubleValue)) }
  }
}
