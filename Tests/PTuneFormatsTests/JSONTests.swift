import Testing

@testable import PTuneFormats

@Suite struct JSONTests {
  @Test(
    "a document reads as what it says",
    arguments: [
      ("null", .null), (" true ", true), ("0", 0), ("-12", -12), ("1.5", 1.5), ("-0.5e-3", -0.5e-3),
      ("1E2", .double(100)), ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
      ("9223372036854775808", .double(9.223372036854775808e18)), ("\"\"", ""),
      (#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, "a\"\\/\u{8}\u{c}\n\r\té😀"), ("[]", []),
      ("[1, [2], {}]", [1, [2], [:]]), (#"{"b": 1, "a": {"c": null}}"#, ["b": 1, "a": ["c": nil]]),
      ("\u{FEFF}[]", []),
    ] as [(String, JSONValue)])
  func reads(text: String, expected: JSONValue) throws {
    #expect(try JSONValue.parse(text) == expected)
  }

  @Test(
    "what is not JSON is refused with its place",
    arguments: [
      ("", "line 1, column 1: expected a value but the text ends"),
      ("[1,]", "line 1, column 4: expected a value but found ']'"),
      ("{\"a\": 1,\n \"b\" 2}", "line 2, column 6: expected ':' but found '2'"),
      ("{\"é\": x}", "line 1, column 7: expected a value but found 'x'"),
      ("{a: 1}", "line 1, column 2: expected a key in quotes but found 'a'"),
      ("[1 2]", "line 1, column 4: expected ',' or ']' but found '2'"),
      ("{\"a\": 1", "line 1, column 8: expected ',' or '}' but the text ends"),
      ("1 2", "line 1, column 3: expected the end of the text but found '2'"),
      ("nul", "line 1, column 1: expected a value but found 'n'"),
      ("NaN", "line 1, column 1: expected a value but found 'N'"),
      ("01", "line 1, column 1: '01' is not a number that JSON allows"),
      ("1.", "line 1, column 1: '1.' is not a number that JSON allows"),
      ("-", "line 1, column 1: '-' is not a number that JSON allows"),
      ("1e", "line 1, column 1: '1e' is not a number that JSON allows"),
      ("1e999", "line 1, column 1: '1e999' is not a number that JSON allows"),
      ("\"a", "line 1, column 3: expected '\"' but the text ends"),
      ("\"a\nb\"", "line 1, column 3: a string contains the control character U+000A"),
      (#""\x""#, #"line 1, column 2: '\x' is not an escape that JSON allows"#),
      (#""\u12g4""#, #"line 1, column 2: '\u12g4' is not an escape that JSON allows"#),
      (
        #""\ud800 ""#,
        #"line 1, column 2: a \u escape is half of a surrogate pair without the other half"#
      ),
      (
        #""\ud800\u0041""#,
        #"line 1, column 2: a \u escape is half of a surrogate pair without the other half"#
      ),
      (#"{"a": 1, "a": 2}"#, "line 1, column 10: the key 'a' occurs twice in the same object"),
    ])
  func refuses(text: String, expected: String) {
    let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    #expect(error?.description == expected)
  }

  @Test("an error names the file")
  func namesFile() {
    #expect(
      message { _ = try JSONValue.parse("[", file: "config.json") }
        == """
        config.json:1:2: expected a value but the text ends
        help: the file may be truncated; fetch or write it again
        """)
  }

  @Test("deep nesting is an error, not a crash")
  func depth() {
    let text = String(repeating: "[", count: 1_000_000)
    #expect(
      message { _ = try JSONValue.parse(text) }
        == "line 1, column 129: arrays and objects are nested more than 128 deep")
    let objects = String(repeating: "{\"a\":", count: 200)
    #expect(throws: JSONError.self) { try JSONValue.parse(objects) }
  }

  @Test(
    "bytes that are not UTF-8 are refused",
    arguments: [
      [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
      [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xE2, 0x82], [0x22, 0xE0, 0x80, 0x80, 0x22],
    ] as [[UInt8]])
  func encoding(bytes: [UInt8]) {
    let text = message {
      _ = try bytes.withUnsafeBytes { try JSONValue.parse(bytes: $0, file: "x.json") }
    }
    #expect(text == "x.json:1:2: the text is not UTF-8\nhelp: save the file as UTF-8")
  }

  @Test("a text cut off anywhere is an error")
  func truncated() {
    let text = Array(#"{"a": [1, 2.5e3, "x\u00e9😀"], "b": {"c": true, "d": null}}"#.utf8)
    for length in 0..<text.count {
      #expect(throws: JSONError.self) {
        try text[..<length].withUnsafeBytes { try JSONValue.parse(bytes: $0) }
      }
    }
  }

  @Test("keys that look alike but differ in bytes are different keys")
  func canonicalEquivalence() throws {
    let value = try JSONValue.parse("{\"\u{e9}\": 1, \"e\u{301}\": 2}")
    #expect(value["\u{e9}"] == 1)
    #expect(value["e\u{301}"] == 2)
    #expect(JSONValue.string("\u{e9}") != JSONValue.string("e\u{301}"))
  }

  @Test("of a doubled key the last stays where that is asked for, in objects of any size")
  func keepLast() throws {
    let members = (0..<20).map { "\"k\($0)\": \($0)" }.joined(separator: ", ")
    let options = JSONOptions(duplicates: .keepLast)
    let value = try JSONValue.parse("{\(members), \"k3\": 33}", options: options)
    #expect(value["k3"] == 33)
    #expect(value.objectValue?.count == 20)
    #expect(throws: JSONError.self) { try JSONValue.parse("{\(members), \"k3\": 33}") }
  }

  @Test("members can be set, replaced and removed, whatever their number", arguments: [3, 8, 9, 40])
  func object(count: Int) {
    var object = JSONObject()
    for number in 0..<count { object["k\(number)"] = .int(number) }
    object["k1"] = "one"
    object["k0"] = nil
    object["absent"] = nil
    #expect(object.keys == (1..<count).map { "k\($0)" })
    #expect(object["k1"] == "one")
    #expect(object["k0"] == nil)
    #expect(object["k\(count - 1)"] == .int(count - 1))
  }

  @Test("each style lays a document out in its way")
  func styles() {
    let value: JSONValue = ["b": [1, 2.0, 1e-5, "é\n\u{1}\""], "a": ["x": nil], "e": [], "o": [:]]
    #expect(
      value.text()
        == """
        {
          "b": [
            1,
            2.0,
            1e-05,
            "é\\n\\u0001\\""
          ],
          "a": {
            "x": null
          },
          "e": [],
          "o": {}
        }

        """)
    #expect(
      value.text(.line)
        == #"{"b": [1, 2.0, 1e-05, "é\n\u0001\""], "a": {"x": null}, "e": [], "o": {}}"#)
    #expect(
      (["b": 1, "a": [true, 2]] as JSONValue).text(.compact) == #"{"b":1,"a":[true,2]}"#)
    #expect(
      (["b": 1, "a": 2] as JSONValue).text(.sorted) == "{\n  \"a\": 2,\n  \"b\": 1\n}\n")
  }

  @Test("numbers read back as they were; what JSON cannot say is null")
  func numbers() throws {
    for number in [
      0.1, 1.0 / 3, .leastNonzeroMagnitude, 1.7976931348623157e308, -0.0, 123456789.125, 1e16, 1e23,
    ] {
      #expect(try JSONValue.parse(JSONValue.double(number).text(.line)).doubleValue == number)
    }
    #expect(JSONValue.array([.double(.nan), .double(.infinity)]).text(.line) == "[null, null]")
  }

  @Test("members come in order with their bytes as written, twice if they stand twice")
  func members() throws {
    let text = #" {"a": 1.50, "b" :[1, 2] ,"a":"é"} "#
    var members: [String] = []
    let isObject = try Array(text.utf8).withUnsafeBytes { bytes in
      try JSONValue.parseMembers(bytes: bytes) { key, value, range in
        members.append("\(key) \(value.kind) \(String(decoding: bytes[range], as: UTF8.self))")
      }
    }
    #expect(isObject)
    #expect(members == ["a a number 1.50", "b an array [1, 2]", "a a string \"é\""])
    let other = try Array("[1]".utf8).withUnsafeBytes { try JSONValue.parseMembers(bytes: $0) { _, _, _ in } }
    #expect(!other)
  }

  @Test("each of many keys is found, those that are equal only in canonical form included")
  func manyKeys() throws {
    let keys = (0..<5000).map { "key \($0)" } + ["é", "e\u{301}"]
    var object = JSONObject()
    for (place, key) in keys.enumerated() { object[key] = .int(place) }
    #expect(object.count == keys.count)
    #expect(keys.enumerated().allSatisfy { object[$1] == .int($0) })
    #expect(object["key 5000"] == nil)
    object["key 7"] = nil
    #expect(object["key 7"] == nil && object["key 8"] == .int(8))
  }

  @Test("no character stands as it is at which a reader might end a line, or which steers a terminal")
  func lines() throws {
    let text = "a\u{85}\u{2028}\u{2029}\u{7F}\u{9B}\u{1B}é\u{A0}\u{2027}"
    let json = JSONValue.string(text).text(.line)
    #expect(json == #""a\u0085\u2028\u2029\u007f\u009b\u001bé"# + "\u{A0}\u{2027}\"")
    #expect(try JSONValue.parse(json).stringValue == text)
  }
}
