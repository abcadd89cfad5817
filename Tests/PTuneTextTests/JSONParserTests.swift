import Testing

@testable import PTuneText

@Suite("JSON")
struct JSONParserTests {
  private func parse(_ text: String) throws -> JSONValue {
    try Array(text.utf8).withUnsafeBufferPointer { try JSONValue.parse($0, path: "x.json") }
  }

  @Test("values of every kind, with numbers as written")
  func values() throws {
    #expect(
      try parse(" { \"a\" : [1, -0.50e+3, true, false, null, {}, []] , \"b\":\"\" }\n")
        == .object(
          JSONObject(
            keys: ["a", "b"],
            values: [
              .array([
                .number("1"), .number("-0.50e+3"), .bool(true), .bool(false), .null, .object(JSONObject()),
                .array([]),
              ]), .string(""),
            ])))
    #expect(try parse(#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀""#) == .string("\"\\/\u{8}\u{C}\n\r\té😀é😀"))
  }

  @Test("of members with one name the last counts")
  func duplicates() throws {
    guard case .object(let object) = try parse(#"{"a":1,"a":2}"#) else { throw NothingThrown() }
    #expect(object["a"] == .number("2") && object["b"] == nil)
  }

  @Test(
    "what is not JSON is named with line and column",
    arguments: [
      ("", "x.json:1:1: the JSON text ends too early"),
      ("{\n \"a\": 1,\n}", "x.json:3:1: expected a member name in quotes"),
      ("[1 2]", "x.json:1:4: expected \",\" or \"]\" in an array"),
      ("{\"a\" 1}", "x.json:1:6: expected \":\" after a member name"),
      ("{\"a\":1", "x.json:1:7: expected \",\" or \"}\" in an object"),
      ("\"abc", "x.json:1:5: the JSON text ends inside a string"),
      ("\"a\\", "x.json:1:4: the JSON text ends inside a string"),
      ("\"a\tb\"", "x.json:1:3: a control character in a string must be escaped"),
      ("\"\\x\"", "x.json:1:3: an unknown escape in a string"),
      ("\"\\u12g4\"", "x.json:1:6: expected four hexadecimal digits"),
      ("\"\\ud800\"", "x.json:1:8: an unpaired surrogate in a string"),
      ("\"\\ud800\\u0041\"", "x.json:1:14: an unpaired surrogate in a string"),
      ("01", "x.json:1:2: unexpected text after the JSON value"),
      ("1.", "x.json:1:3: expected a digit"),
      ("-", "x.json:1:2: expected a digit"),
      ("nul", "x.json:1:1: expected a JSON value"),
      (String(repeating: "[", count: 300), "x.json:1:257: nested deeper than 256"),
    ])
  func problems(text: String, message: String) throws {
    #expect(try failure { try parse(text) }.description == message)
  }

  @Test("bytes that are not UTF-8 are named")
  func invalidUTF8() throws {
    let bytes: [UInt8] = Array("[\n\"".utf8) + [0xC3, 0x28] + Array("\"]".utf8)
    let error = try failure { try bytes.withUnsafeBufferPointer { try JSONValue.parse($0, path: "x.json") } }
    #expect(error.description == "x.json:2: byte 2 is not valid UTF-8")
  }
}
