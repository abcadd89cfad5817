import Testing

@testable import PTunePlugins

@Suite("Hyperparameters")
struct HyperparameterTests {
  static let schema = """
    prompt_tuning(int rows=20 [1..512] "virtual tokens", long seed=0, float rate=0.5 [0..1], double scale=1,
      bool tied=false, string pooling="mean" {mean|first|last}, strings labels "names of the classes",
      strings parts=["a"] {a|b})
    """

  @Test("values take the place of defaults, in the order of the schema and of its C types")
  func arguments() throws {
    let arguments = try Schema(parsing: Self.schema).arguments(from: [
      "labels": .strings(["no", "yes"]), "rate": .int(1), "scale": .double(-2.5), "rows": .int(512),
      "seed": .int(.max),
    ])
    #expect(
      arguments == [
        .int(512), .long(.max), .float(1), .double(-2.5), .bool(false), .string("mean"),
        .strings(["no", "yes"]),
        .strings(["a"]),
      ])
  }

  static let mistakes: [(key: String, value: HyperparameterValue, message: String, help: String)] = [
    ("row", .int(1), "prompt-tuning has no hyperparameter 'row'", "did you mean 'rows'?"),
    (
      "colour", .int(1), "prompt-tuning has no hyperparameter 'colour'",
      "it takes rows, seed, rate, scale, tied, pooling, labels, parts"
    ),
    ("rows", .int(0), "'rows' of prompt-tuning is 0, which is outside [1..512]", describe),
    ("rows", .int(513), "'rows' of prompt-tuning is 513, which is outside [1..512]", describe),
    ("rows", .int(1 << 40), "'rows' of prompt-tuning is 1099511627776, which is outside [1..512]", describe),
    ("rows", .double(20), "'rows' of prompt-tuning has to be a whole number, not a number (20.0)", describe),
    ("rows", .string("20"), "'rows' of prompt-tuning has to be a whole number, not text (\"20\")", describe),
    ("rate", .double(1.5), "'rate' of prompt-tuning is 1.5, which is outside [0.0..1.0]", describe),
    ("rate", .int(2), "'rate' of prompt-tuning is 2, which is outside [0.0..1.0]", describe),
    ("rate", .double(.nan), "'rate' of prompt-tuning is nan", describe),
    (
      "scale", .double(.infinity), "'scale' of prompt-tuning is inf, which is outside the finite numbers",
      describe
    ),
    ("scale", .bool(true), "'scale' of prompt-tuning has to be a number, not a boolean (true)", describe),
    ("tied", .int(1), "'tied' of prompt-tuning has to be true or false, not a whole number (1)", describe),
    (
      "pooling", .string("man"), "'pooling' of prompt-tuning is \"man\", which is none of mean, first, last",
      "did you mean 'mean'?"
    ),
    ("pooling", .string("me\0an"), "'pooling' of prompt-tuning contains a zero character", describe),
    (
      "labels", .string("yes"), "'labels' of prompt-tuning has to be a list of texts, not text (\"yes\")",
      describe
    ),
    (
      "parts", .strings(["b", "c"]), "'parts' of prompt-tuning is \"c\", which is none of a, b", describe
    ),
  ]
  static let describe = "`ptune describe prompt-tuning` shows what each hyperparameter takes"

  @Test("a value that does not fit is named with what would", arguments: mistakes.indices)
  func mistake(index: Int) throws {
    let (key, value, message, help) = Self.mistakes[index]
    let schema = try Schema(parsing: Self.schema)
    var values: [String: HyperparameterValue] = ["labels": .strings([])]
    values[key] = value
    let error = try #require(throws: HyperparameterError.self) { try schema.arguments(from: values) }
    #expect(error.description.hasPrefix(message))
    #expect(error.help == help)
  }

  @Test("a missing value is asked for in the schema's words")
  func missing() throws {
    let schema = try Schema(parsing: Self.schema)
    let error = try #require(throws: HyperparameterError.self) { try schema.arguments(from: [:]) }
    #expect(
      error.description
        == "'labels' of prompt-tuning is missing: it has to be a list of texts and has no default")
    #expect(error.help == "give 'labels' a value: names of the classes")
  }

  @Test("whole numbers beyond 2^53 are compared exactly with their limits")
  func largeNumbers() throws {
    let schema = try Schema(parsing: "x(long a=0 [..9007199254740992])")
    #expect(try schema.arguments(from: ["a": .int(9_007_199_254_740_992)]) == [.long(9_007_199_254_740_992)])
    #expect(throws: HyperparameterError.self) {
      try schema.arguments(from: ["a": .int(9_007_199_254_740_993)])
    }
  }
}
