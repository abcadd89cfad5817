import Foundation
import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneTesting
import PTuneComposition
import Testing

/// A plugin of Examples/base-models, built as its Makefile does: one call of the C compiler, with the headers alone.
final class ExampleModel {
  let folder: String
  var bench: PluginBench { Workshop.bench(folder) }

  init(_ name: String) throws {
    folder = NSTemporaryDirectory() + "/ptune-example-\(name)-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let library = "\(folder)/libptune_\(name).so"
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = [
      "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-fvisibility=hidden", "-shared",
      "-I", "\(Workshop.package)/Sources/CPTune/include", "-o", library,
      "\(Workshop.package)/Examples/base-models/\(name)/\(name).c", "-lm",
    ]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
    // Whatever the umask of whoever runs the tests.
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: library)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}

/// Base models that are written outside the tree, against what transformers and PEFT compute.
@Suite("Example base models") struct ExampleModelTests {
  struct Family: Sendable, CustomTestStringConvertible {
    /// The folder of its source, and its component.
    let source, component: String
    /// Its checkpoints under Tests/Fixtures/examples.
    let models: [String]
    /// How many cases there are of each: without an adapter, with a prompt, and with a prefix where PEFT has that.
    var forms = 3
    var testDescription: String { component }
  }

  static let families = [
    Family(source: "bloom", component: "bloom", models: ["bloom", "bloom-residual-after-norm"]),
    Family(source: "gemma3", component: "gemma3-text", models: ["gemma3", "gemma3-capped"]),
    Family(
      source: "modernbert", component: "modernbert", models: ["modernbert", "modernbert-biases"], forms: 2),
    Family(source: "deberta", component: "deberta-v2", models: ["deberta-v3", "deberta-v2"], forms: 2),
  ]

  private static let fixtures = "\(Workshop.package)/Tests/Fixtures/examples"

  /// Injects a prompt, or keys and values in front of each layer, whose text begins behind them.
  private static func adapter(_ fixture: JSONValue, _ file: SafetensorsFile) throws -> TwinAdapter? {
    func tensor(_ name: JSONValue) throws -> (rows: Int, columns: Int, values: [Float]) {
      let tensor = try file.floats(try #require(name.stringValue))
      return (tensor.shape[0], tensor.shape[1], tensor.array)
    }
    if let name = fixture["prompt"], name.stringValue != nil {
      let prompt = try tensor(name)
      return try TwinAdapter(positions: prompt.rows, parameters: []) { _, _, injections in
        try injections.input(
          .constant(prompt.values, rows: prompt.rows, columns: prompt.columns), at: .start)
      }
    }
    guard let layers = fixture["prefix"]?.arrayValue else { return nil }
    let pairs = try layers.map { layer in
      try #require(layer.arrayValue).map { try tensor($0) }
    }
    return try TwinAdapter(positions: pairs[0][0].rows, parameters: []) { _, _, injections in
      for (layer, pair) in pairs.enumerated() {
        let (keys, values) = (pair[0], pair[1])
        try injections.keyValuePrefix(
          keys: .constant(keys.values, rows: keys.rows, columns: keys.columns),
          values: .constant(values.values, rows: values.rows, columns: values.columns), layer: layer)
      }
      try injections.startPositions(at: pairs[0][0].rows)
    }
  }

  /// The hidden rows of a batch's tokens, without those of virtual tokens.
  private static func textRows(_ model: Model, _ batch: PackedBatch) throws -> [Float] {
    let (values, rows) = try model.hiddenRows(batch)
    let size = model.facts?.hiddenSize ?? 0
    return rows.flatMap { values[Int($0) * size..<(Int($0) + 1) * size] }
  }

  private static func difference(_ values: [Float], _ expected: [Float]) -> Float {
    guard values.count == expected.count else { return .infinity }
    return zip(values, expected).reduce(0) { worst, pair in
      let apart = abs(pair.0 - pair.1)
      return apart <= worst ? worst : (apart.isNaN ? .infinity : apart)
    }
  }

  @Test(
    "hidden rows and logits equal those of transformers and PEFT, past every window, in one batch and alone",
    arguments: families)
  func forward(_ family: Family) throws {
    let example = try ExampleModel(family.source)
    let file = try SafetensorsFile("\(Self.fixtures)/forward.safetensors")
    let cases = try #require(try JSONValue.read("\(Self.fixtures)/forward.json").arrayValue)
    var seen = 0
    for fixture in cases {
      let (name, folder) = (fixture["name"]?.stringValue ?? "", fixture["model"]?.stringValue ?? "")
      guard family.models.contains(folder) else { continue }
      seen += 1
      let model = Model.forTesting()
      try example.bench.useBase(
        ComponentChoice(plugin: family.component), folder: "\(Self.fixtures)/\(folder)", in: model)
      let isTuned = fixture["prompt"]?.stringValue != nil || fixture["prefix"]?.arrayValue != nil
      if isTuned { try model.useTwinAdapter { try #require(try Self.adapter(fixture, file)) } }
      let sequences = try #require(fixture["tokens"]?.arrayValue).map { tokens in
        PackedBatch.Sequence(
          tokens: try #require(tokens.arrayValue).map { Int32(try #require($0.intValue)) })
      }
      let hidden = try file.floats(try #require(fixture["hidden"]?.stringValue)).array
      let batch = PackedBatch(sequences, training: false)
      #expect(Self.difference(try Self.textRows(model, batch), hidden) < 1e-4, "\(name)")
      let alone = try sequences.flatMap { try Self.textRows(model, PackedBatch([$0], training: false)) }
      #expect(Self.difference(alone, hidden) < 1e-4, "\(name), alone")
      if !isTuned, let logits = fixture["logits"]?.stringValue {
        #expect(
          Self.difference(try model.vocabularyScores(batch), try file.floats(logits).array) < 1e-4, "\(name)")
      }
    }
    #expect(seen == family.forms * family.models.count)
  }

  @Test("check-plugin passes, with gradients of every prefix form", arguments: families)
  func conformance(_ family: Family) throws {
    let example = try ExampleModel(family.source)
    for folder in family.models {
      let check = Process()
      let output = Pipe()
      check.executableURL = URL(fileURLWithPath: "\(Workshop.built)/ptune")
      check.arguments = [
        "check-plugin", "\(example.folder)/libptune_\(family.source).so", "--model",
        "\(Self.fixtures)/\(folder)",
      ]
      check.standardOutput = output
      try check.run()
      let text = String(
        decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      check.waitUntilExit()
      #expect(check.terminationStatus == 0, "\(text)")
      #expect(text.components(separatedBy: "  ok  gradients of ").count == 4, "\(text)")
    }
  }

  @Test("no key of a config.json that transformers writes is unknown to it", arguments: families)
  func knowsItsConfig(_ family: Family) throws {
    let example = try ExampleModel(family.source)
    for folder in family.models {
      let model = Model.forTesting()
      var messages: [String] = []
      model.session.log = { _, message in messages.append(message) }
      try example.bench.useBase(
        ComponentChoice(plugin: family.component), folder: "\(Self.fixtures)/\(folder)", in: model)
      #expect(messages == [])
    }
  }
}
