import PTunePlugins

extension FuzzTarget {
  /// What plugins say of themselves.
  static let plugins = [schema, probe]

  static let schema = FuzzTarget("schema") {
    [
      "good(int virtual_tokens=20 [1..512] \"rows\")",
      "every_type(int i [..100] \"a required one\", long l=5000000000, float f=0.1 [0..1],\n double d=1e-300,"
        + " bool b=false, string s=\"mean\" {mean|first|none}, strings list=[\"a\", \"b\"], int last=-3)",
      "none()",
    ].map { Array($0.utf8) }
  } body: { input, _ in
    let schema = try Schema(parsing: String(decoding: input, as: UTF8.self))
    _ = try schema.arguments(from: [:])
  }

  /// What the probe's child writes to its parent.
  static let probe = FuzzTarget("probe") {
    let messages = [
      ["opening", "0"], ["entering", "0"],
      ["described", "0", "org.example", "1.0", "c", "2", "good", "does", "good()", "", ""],
      ["refused", "1"], ["cannotOpen", "1", "why"], ["otherInterface", "1", "2"], ["done"],
    ]
    let seeds: [[UInt8]] = messages.map { message in
      (["\(message.count)"] + message).flatMap { Array($0.utf8) + [0] }
    }
    return seeds + [Array(seeds.joined())]
  } body: { input, _ in
    let whole = ProbeReport(reading: [input])
    // However the bytes are cut.
    precondition(whole == ProbeReport(reading: input.map { [$0] }))
  }
}
