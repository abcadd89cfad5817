import Testing

@testable import PTune
@testable import PTunePlugins

@Suite("Schemas")
struct SchemaTests {
  @Test("every type, default, limit and documentation is read")
  func everything() throws {
    let schema = try Schema(
      parsing: """
        all_of_it(int i=20 [1..512] "how many \\"rows\\"", long l=-9007199254740993, float f=1e-3 [0..1],
          double d [..2.5], bool b = true, string s="a,b)" , string c="mean" {mean|first|"last one"},
          strings none=[], strings some=["x", "y\\n"] {x|"y\\n"}, int required)
        """)
    #expect(schema.name == "all_of_it")
    func parameter(
      _ name: String, _ type: ParameterType, _ value: HyperparameterValue?, _ limits: Schema.Limits? = nil,
      _ documentation: String = ""
    ) -> Schema.Parameter {
      Schema.Parameter(
        name: name, type: type, defaultValue: value, limits: limits, documentation: documentation)
    }
    #expect(
      schema.parameters == [
        parameter("i", .int, .int(20), .range(lowest: .int(1), highest: .int(512)), "how many \"rows\""),
        parameter("l", .long, .int(-9_007_199_254_740_993)),
        parameter("f", .float, .double(0.001), .range(lowest: .double(0), highest: .double(1))),
        parameter("d", .double, nil, .range(lowest: nil, highest: .double(2.5))),
        parameter("b", .bool, .bool(true)),
        parameter("s", .string, .string("a,b)")),
        parameter("c", .string, .string("mean"), .choices(["mean", "first", "last one"])),
        parameter("none", .strings, .strings([])),
        parameter("some", .strings, .strings(["x", "y\n"]), .choices(["x", "y\n"])),
        parameter("required", .int, nil),
      ])
  }

  @Test("a schema's description parses to the same schema")
  func roundTrip() throws {
    let schema = try Schema(
      parsing: #"x(int a=-1 [-5..], double b=5e-05, string c="\"\\\t" , strings d=["p"] "doc", bool e=false)"#
    )
    #expect(try Schema(parsing: schema.description) == schema)
    #expect(try Schema(parsing: "empty ( )").parameters.isEmpty)
  }

  @Test(
    "a mistake is named with its place",
    arguments: [
      ("", "line 1, column 1: expected the component's name, found the end"),
      ("Name()", "line 1, column 1: expected the component's name, found 'Name'"),
      ("name", "line 1, column 5: expected '(', found the end"),
      ("name(", "line 1, column 6: expected a type, found the end"),
      ("name(int a,)", "line 1, column 12: expected a type, found ')'"),
      (
        "name(itn a)",
        "line 1, column 6: unknown type 'itn'; did you mean 'int'? (there are int, long, float, double, bool, string, strings)"
      ),
      ("name(int)", "line 1, column 9: expected the parameter's name, found ')'"),
      ("name(int a,\n     int a)", "line 2, column 10: there are two parameters 'a'"),
      ("name(int a=)", "line 1, column 12: expected a value, found ')'"),
      ("name(int a=1.0)", "line 1, column 12: the default of 'a' has to be a whole number, not a number"),
      ("name(int a=\"1\")", "line 1, column 12: the default of 'a' has to be a whole number, not text"),
      ("name(bool a=1)", "line 1, column 13: the default of 'a' has to be true or false, not a whole number"),
      ("name(int a=3000000000)", "line 1, column 12: 3000000000 does not fit type int"),
      ("name(long a=9223372036854775808)", "line 1, column 13: 9223372036854775808 does not fit type long"),
      ("name(float a=1e39)", "line 1, column 14: 1e+39 does not fit type float"),
      ("name(int a=0 [1..5])", "line 1, column 12: the default of 'a', 0, is outside [1..5]"),
      ("name(int a=3 [5..1])", "line 1, column 14: the range [5..1] of 'a' holds no value"),
      ("name(int a=3 [1,5])", "line 1, column 16: expected '..', found ','"),
      ("name(int a=3 [1.5..5])", "line 1, column 15: expected a whole number, found '1.5'"),
      ("name(int a {x|y})", "line 1, column 12: 'a' is a number: its limits are a range, [lo..hi]"),
      ("name(string a [1..2])", "line 1, column 15: 'a' is text: its limits are choices, {a|b}"),
      ("name(bool a [0..1])", "line 1, column 13: 'a' is a boolean: it has no limits"),
      ("name(string a=\"z\" {x|y})", "line 1, column 15: the default of 'a', \"z\", is outside {x|y}"),
      ("name(string a {x|})", "line 1, column 18: expected a choice, found '}'"),
      ("name(string a=\"x)", "line 1, column 15: this text is not closed"),
      (
        "name(string a=\"\\x\")",
        "line 1, column 17: expected one of the escapes \\\" \\\\ \\n \\t, found 'x'"
      ),
      ("name(strings a=[\"x\")", "line 1, column 20: expected ',' or ']', found ')'"),
      ("name(int a int b)", "line 1, column 12: expected ',' or ')', found 'int'"),
      ("name(int a) x", "line 1, column 13: expected the end, found 'x'"),
      ("name(int a \u{e9})", "line 1, column 12: expected ',' or ')', found '\u{e9}'"),
    ])
  func mistakes(text: String, message: String) throws {
    let error = try #require(throws: SchemaError.self) { try Schema(parsing: text) }
    #expect(error.description == "malformed schema, " + message)
  }

  @Test("no damage to a schema does more than make it malformed")
  func damage() throws {
    let bytes = Array(
      #"x(int a=-1 [-5..], float b=5e-05 [..1.5], string c="\"" {"\""|d} "doc", strings e=["f"])"#.utf8)
    var parsed = 0
    for place in bytes.indices {
      let cut = String(decoding: bytes[..<place], as: UTF8.self)
      #expect(throws: SchemaError.self) { try Schema(parsing: cut) }
      for byte in UInt8(0)...255 {
        var damaged = bytes
        damaged[place] = byte
        if (try? Schema(parsing: String(decoding: damaged, as: UTF8.self))) != nil { parsed += 1 }
      }
    }
    #expect(parsed > bytes.count)
  }

  @Test("a schema that the kit writes reads back as it was declared, whatever characters are in its texts")
  func written() throws {
    let awkward = "tab\t, line\n, \"quotes\", back\\slash, ümlaut"
    let choice = Hyperparameter("c", choices: ["plain-word", "two words", "", "ä"], default: "", awkward)
    let text = Hyperparameter.text("s", default: awkward, "")
    let schema = try Schema(parsing: "made(\(choice.schema), \(text.schema))")
    #expect(schema.parameters[0].limits == .choices(["plain-word", "two words", "", "ä"]))
    #expect(schema.parameters[0].documentation == awkward)
    #expect(schema.parameters[1].defaultValue == .string(awkward))
    #expect(try Schema(parsing: schema.description) == schema)
  }
}
