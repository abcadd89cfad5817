import Foundation
import Testing

@Suite("An adapter and the versions of its plugins")
struct PluginVersionTests {
  private let desk: Desk

  /// A desk with an adapter in `out/adapter`, trained with version 2.0.0 of a plugin.
  init() throws {
    desk = try Desk()
    let trained = try desk.ptune(
      "train", "run.yaml", "--adapter", "faulty", "--max-steps", "1", "--quiet", "--plugin-path",
      try plugin("2.0.0"))
    try #require(trained.status == 0, "\(trained.errors)")
  }

  /// Compiles the plugin; answers its folder.
  private func plugin(_ version: String, _ defines: String = "") throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let root = folder.deletingLastPathComponent().deletingLastPathComponent().path
    let place = "plugins-\(version)\(defines.isEmpty ? "" : "-other")"
    let built = try desk.shell(
      "umask 022; mkdir -p \(place); cc -std=c11 -D_GNU_SOURCE -g0 -fPIC -shared '-DVERSION=\"\(version)\"' \(defines) "
        + "-I '\(root)/Sources/CPTune/include' -o \(place)/libptune_faulty.so '\(folder.path)/Plugins/faulty.c' -lm -lpthread"
    )
    try #require(built.status == 0, "\(built.errors)")
    return "\(desk.folder)/\(place)"
  }

  private func predict(_ plugins: String, _ more: String...) throws -> Outcome {
    try desk.ptune(
      ["predict", "--adapter", "out/adapter", "--text", "good film", "--plugin-path", plugins] + more)
  }

  @Test("the version of its training says nothing")
  func same() throws {
    let outcome = try predict(try plugin("2.0.0"))
    #expect(outcome.status == 0)
    #expect(outcome.errors == "")
  }

  @Test("another version of the same major version is worth a word")
  func minor() throws {
    let outcome = try predict(try plugin("2.1.0"))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.contains("was trained with adapter 'faulty' 2.0.0, and "), "\(outcome.errors)")
    #expect(outcome.errors.contains("libptune_faulty.so is 2.1.0; both are version 2"), "\(outcome.errors)")
  }

  @Test("another major version is refused, unless the user allows it")
  func major() throws {
    let plugins = try plugin("3.0.0")
    let refused = try predict(plugins)
    #expect(refused.status == 1)
    #expect(refused.output == "")
    #expect(
      refused.errors.contains("error: 'out/adapter' was trained with adapter 'faulty' 2.0.0"),
      "\(refused.errors)")
    #expect(
      refused.errors.contains("help: put version 2.0.0 back, or use --allow-other-plugin"),
      "\(refused.errors)")
    let allowed = try predict(plugins, "--allow-other-plugin")
    #expect(allowed.status == 0, "\(allowed.errors)")
    #expect(allowed.errors.contains("it may compute something else"), "\(allowed.errors)")
  }

  @Test("a plugin that says that it reads what an earlier version wrote is used")
  func reads() throws {
    let outcome = try predict(try plugin("3.0.0", #"'-DREADS="1 2"'"#))
    #expect(outcome.status == 0, "\(outcome.errors)")
  }

  @Test("a parameter that a later version renamed is told of the plugin, not of the file")
  func renamed() throws {
    let outcome = try predict(try plugin("2.1.0", #"'-DPARAMETER="rows"'"#))
    #expect(outcome.status == 1)
    #expect(
      outcome.errors.contains(
        "adapter 'faulty' 2.1.0 has a parameter 'rows', which 'out/adapter' does not hold: it was trained with 2.0.0"
      ),
      "\(outcome.errors)")
  }

  @Test("what the end of a training says to type finds the plugin again")
  func usage() throws {
    let folder = try plugin("2.0.0")
    let trained = try desk.ptune(
      "train", "run.yaml", "--adapter", "faulty", "--max-steps", "1", "--output", "again", "--plugin-path",
      folder)
    #expect(trained.output.contains(" --plugin-path \(folder) --text"), "\(trained.output)")
  }
}
