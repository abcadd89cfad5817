import Testing

@testable import PTuneText

@Suite("BERT's clean-up of text")
struct BertNormalizerTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let normalized: String
    /// Begin and end of each byte's character in the original.
    let places: [Range<Int32>]
    var normalizer = BertNormalizer()
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "upper case", text: "Ab", normalized: "ab", places: [0..<1, 1..<2]),
    Case(name: "an accent goes, its letter keeps its bytes", text: "É", normalized: "e", places: [0..<2]),
    Case(
      name: "a combining accent goes with its bytes", text: "e\u{301}a", normalized: "ea",
      places: [0..<1, 3..<4]),
    Case(
      name: "white space becomes a space, control characters go", text: "a\t\u{7}\u{2003}b",
      normalized: "a  b",
      places: [0..<1, 1..<2, 3..<6, 6..<7]),
    Case(
      name: "a Chinese character has spaces of its own", text: "a字", normalized: "a 字 ",
      places: [0..<1, 1..<4, 1..<4, 1..<4, 1..<4, 1..<4]),
    Case(
      name: "Hangul is decomposed", text: "가", normalized: "\u{1100}\u{1161}",
      places: Array(repeating: 0..<3, count: 6)),
    Case(
      name: "U+0130 becomes two scalars in lower case", text: "İ", normalized: "i\u{307}",
      places: Array(repeating: 0..<2, count: 3),
      normalizer: BertNormalizer(
        cleansText: true, separatesIdeographs: true, stripsAccents: false, lowercases: true)),
    Case(
      name: "final sigma is not special", text: "ΣΑΣ", normalized: "σασ",
      places: [0..<2, 0..<2, 2..<4, 2..<4, 4..<6, 4..<6]),
    // U+08DC is newer than the reference's table of nonspacing marks and so it stays; U+0F7A sorts before it.
    Case(
      name: "marks change places and bytes, even across a removed control character",
      text: "\u{8DC}\u{8}\u{F7A}", normalized: "\u{8DC}", places: Array(repeating: 4..<7, count: 3)),
    Case(
      name: "without any step text stays", text: "É\u{0} 字", normalized: "É\u{0} 字",
      places: [0..<2, 0..<2, 2..<3, 3..<4, 4..<7, 4..<7, 4..<7], normalizer: .none),
  ]

  @Test("text and the bytes it came from", arguments: cases)
  func normalize(_ example: Case) {
    let text = Array(example.text.utf8).withUnsafeBufferPointer {
      example.normalizer.normalize($0, 0..<$0.count)
    }
    #expect(text.bytes == Array(example.normalized.utf8))
    #expect(zip(text.begins, text.ends).map { $0..<$1 } == example.places)
  }
}
