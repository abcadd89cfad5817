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

  @Test("values of a prediction are written as JSON")
  func values() {
    let value = PredictionValue.object([
      ("a\"", .list([.integer(3), .number(0.5), .number(.nan)])), ("b", .text("x\u{1}\\")),
    ])
    #expect(value.json == #"{"a\"": [3, 0.5, null], "b": "x\u0001\\"}"#)
  }
}
