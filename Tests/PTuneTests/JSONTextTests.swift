import Testing

@testable import PTune

@Suite("JSON of the kit") struct JSONTextTests {
  @Test(
    "a list of texts is read, and nothing else",
    arguments: [
      ("[]", []), (" [ ] \n", []), (#"["a","b c"]"#, ["a", "b c"]),
      (#"[ "\"\\\/\b\f\n\r\t" , "\u00e9\ud83d\ude00ü" ]"#, ["\"\\/\u{8}\u{c}\n\r\t", "é😀ü"]),
      ("[1]", nil), (#"["a""#, nil), (#"["a",]"#, nil), (#"["a"] b"#, nil), (#""a""#, nil), ("", nil),
      (#"["\x"]"#, nil), (#"["\ud83d"]"#, nil), (#"["\u+123"]"#, nil), (#"["a"#, nil),
    ] as [(String, [String]?)])
  func texts(json: String, texts: [String]?) {
    #expect(jsonTexts(json) == texts)
    if let texts { #expect(jsonTexts(PredictionValue.list(texts.map { .text($0) }).json) == texts) }
  }

  @Test("a field that is JSON is read, and nothing else")
  func fields() {
    let value = jsonValue(#" {"text": ["a"], "start": [-3, 1.5e1], "b": {"x": null, "y": [true, false]}} "#)
    #expect(value?["text"]?.all(\.text) == ["a"])
    #expect(value?["start"]?.all(\.integer) == [-3, 15])
    #expect(value?["b"] == .object(["x": .nothing, "y": .list([.flag(true), .flag(false)])]))
    #expect(jsonValue("[1.5]")?.all(\.integer) == nil)
    #expect(jsonValue("{}") == .object([:]))
    for wrong in [
      "{", "{\"a\"}", "{\"a\": 1,}", "{a: 1}", "nan", "inf", "0x10", "+1", "1 2", "[1 2]", "tru", "-", "",
    ] {
      #expect(jsonValue(wrong) == nil, "\(wrong)")
    }
    #expect(jsonValue(String(repeating: "[", count: 100_000)) == nil)
  }

  @Test("a text is cut at separators, blanks around parts left out")
  func parts() {
    #expect("a| b c |".parts(separatedBy: "|") == ["a", "b c"])
    #expect("a, ü".parts(separatedBy: ", ") == ["a", "ü"])
    #expect(" ".parts(separatedBy: ";") == [])
    #expect("a".parts(separatedBy: "") == ["a"])
  }

  @Test("values of a prediction are written as JSON")
  func values() {
    let value = PredictionValue.object([
      ("a\"", .list([.integer(3), .number(0.5), .number(.nan)])), ("b", .text("x\u{1}\\")),
    ])
    #expect(value.json == #"{"a\"": [3, 0.5, null], "b": "x\u0001\\"}"#)
  }

  @Test("no character stands as it is at which a reader might end a line, or which steers a terminal")
  func lines() {
    let text = "a\u{85}\u{2028}\u{2029}\u{7F}\u{9B}\u{1B}é\u{A0}\u{2027}"
    let json = PredictionValue.text(text).json
    #expect(json == #""a\u0085\u2028\u2029\u007f\u009b\u001bé"# + "\u{A0}\u{2027}\"")
    #expect(jsonTexts("[\(json)]") == [text])
  }
}
