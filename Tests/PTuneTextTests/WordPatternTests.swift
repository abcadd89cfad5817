import Testing

@testable import PTuneText

@Suite("The regular expressions that cut text into words")
struct WordPatternTests {
  private static func words(_ text: String, _ pattern: WordPattern) -> [String] {
    words(text, [.words(pattern)])
  }

  private static func words(_ text: String, _ splits: [PreTokenizer.Split]) -> [String] {
    var pre = PreTokenizer()
    pre.splits = splits
    var text = text
    return text.withUTF8 { bytes in
      var words: [String] = []
      pre.words(bytes, 0..<bytes.count) {
        words.append(String(decoding: UnsafeBufferPointer(rebasing: bytes[$0]), as: UTF8.self))
      }
      return words
    }
  }

  // What the package `regex` of Python makes of llama.cpp's four patterns, one on what the other leaves.
  @Test(
    "those of GGUF files that name none",
    arguments: [
      ("I'm in $12345.67", ["I", "'", "m", " in", " ", "$", "123", "45", ".", "67"]),
      ("a`b  (x)\n\n y", ["a", "`", "b", "  ", "(", "x", ")", "\n\n", " y"]),
      ("x²¹ 1٣2345…é", ["x", "²¹", " ", "1٣", "234", "5", "…", "é"]),
      (" !?++y", [" ", "!?++", "y"]),
    ])
  func unnamed(text: String, expected: [String]) throws {
    let cutting = try #require(GGUFCutting.named["default"])
    #expect(Self.words(text, cutting.splits) == expected)
  }

  // What the `regex` and `tokenizers` packages of Python make of the published patterns.
  @Test(
    "GPT-2's",
    arguments: [
      ("I'm x'S  y", ["I", "'m", " x", "'", "S", " ", " y"]),
      ("a1 23\n\n b", ["a", "1", " 23", "\n\n", " b"]),
      ("x \n", ["x", " \n"]), ("\t\tx", ["\t", "\t", "x"]), (" !?é", [" !?", "é"]),
      ("'ll'l", ["'ll", "'", "l"]),
    ])
  func gpt2(text: String, expected: [String]) { #expect(Self.words(text, .gpt2) == expected) }

  @Test(
    "GPT-4's and Llama 3's",
    arguments: [
      ("I'M x'ſ  y", ["I", "'M", " x", "'ſ", " ", " y"]),
      ("a1234 5\n\n b", ["a", "123", "4", " ", "5", "\n\n", " b"]),
      ("x \n\t\n z", ["x", " \n\t\n", " z"]), ("\tx", ["\tx"]), ("\nx", ["\n", "x"]),
      ("!x !\r\ny", ["!x", " !\r\n", "y"]),
    ])
  func gpt4(text: String, expected: [String]) { #expect(Self.words(text, .gpt4(digits: 3)) == expected) }

  @Test("Qwen 2's has digits by themselves")
  func qwen2() { #expect(Self.words("a12 3", .gpt4(digits: 1)) == ["a", "1", "2", " ", "3"]) }

  @Test("a pattern that is not one of those published is none")
  func unknown() { #expect(WordPattern(#"\p{L}+"#) == nil && WordPattern("") == nil) }
}
