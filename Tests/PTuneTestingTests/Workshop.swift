import Foundation
import PTuneEngine
import PTunePlugins
import PTuneTesting
import Testing

@testable import PTuneComposition

/// Where the tests of gradients find plugins and the tiny checkpoint.
enum Workshop {
  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  /// Where the package manager put the plugins and the program: beside the test bundle.
  static let built = URL(fileURLWithPath: executablePath() ?? "").deletingLastPathComponent().path

  static func bench(_ folder: String = built) -> PluginBench {
    PluginBench(
      folders: [folder], program: "\(built)/ptune", environment: ProcessInfo.processInfo.environment)
  }

  /// An adapter on Tests/Fixtures/tiny-bert with a linear classifier on the mean of the text.
  static func model(
    _ adapter: ComponentChoice, selector: ComponentChoice? = nil, from bench: PluginBench = bench()
  ) throws -> Model {
    let model = Model.forTesting()
    try bench.useBase(
      ComponentChoice(plugin: "bert"), folder: "\(package)/Tests/Fixtures/tiny-bert", in: model)
    if let selector { try bench.useSelector(selector, in: model) }
    try bench.useAdapter(adapter, in: model)
    try bench.useHead(
      ComponentChoice(
        plugin: "sequence-classification",
        hyperparameters: ["labels": .strings(["a", "b"]), "dropout": .double(0)]), in: model)
    return model
  }

  static let batch = batch(marks: 0)

  static func batch(marks: Int) -> PackedBatch {
    .forTesting(lengths: [6, 2, 9, 1], vocabulary: 200, marks: marks)
  }
}

/// Examples/c-adapter, built as its first lines say: one call of the C compiler, with the header alone.
final class CAdapter {
  let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "/ptune-c-adapter-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let library = "\(folder)/libptune_scaled_prompt.so"
    let compiler = Process()
    compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    compiler.arguments = [
      "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared",
      "-I", "\(Workshop.package)/Sources/CPTune/include", "-o", library,
      "\(Workshop.package)/Examples/c-adapter/scaled_prompt.c",
    ]
    try compiler.run()
    compiler.waitUntilExit()
    try #require(compiler.terminationStatus == 0)
    // Whatever the umask of whoever runs the tests.
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: library)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}
