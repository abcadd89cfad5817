import Foundation
import Testing

@testable import PTunePlugins

/// A temporary folder in which tests build plugins from the C files in Hostile/; it goes when the test ends.
final class Workshop {
  let folder: String

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/ptune-plugins-XXXXXX").utf8CString)
    let made = try #require(mkdtemp(&template))
    folder = try #require(resolved(String(cString: made)))
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Makes a folder in this one and gives its path.
  func folder(_ name: String, mode: mode_t = 0o755) throws -> String {
    let path = folder + "/" + name
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try #require(chmod(path, mode) == 0)
    return path
  }

  /// Compiles Hostile/`source`.c to `folder`/libptune_`name`.so.
  @discardableResult
  func build(_ source: String, as name: String? = nil, in folder: String? = nil, defines: [String] = [])
    throws
    -> String
  {
    try compile(
      Self.testFolder + "/Hostile/\(source).c",
      to: (folder ?? self.folder) + "/libptune_\(name ?? source).\(pluginSuffix)", defines: defines)
  }

  /// Compiles a C file against the header alone.
  @discardableResult
  func compile(_ source: String, to file: String, defines: [String] = []) throws -> String {
    let include = Self.packageFolder + "/Sources/CPTune/include"
    let arguments = ["-std=gnu11", "-Wall", "-Werror", "-fPIC", "-shared", "-I", include]
    let result = try run(
      try Self.compiler(), arguments + defines.map { "-D" + $0 } + ["-o", file, source])
    try #require(result.status == 0, "\(result.errors)")
    // Whatever the umask of whoever runs the tests.
    try #require(chmod(file, 0o755) == 0)
    return file
  }

  /// The inventory of these folders, probed with the `ptune` that was built beside the tests.
  func scan(_ folders: [String], timeout: String = "20") throws -> PluginInventory {
    try scanner(folders, timeout: timeout).scan()
  }

  func scanner(_ folders: [String], timeout: String = "20") throws -> PluginScanner {
    PluginScanner(search: search(folders), prober: try prober(timeout: timeout))
  }

  func search(_ folders: [String]) -> PluginSearch {
    PluginSearch(options: folders, environment: ["XDG_DATA_HOME": folder + "/nobody"], executable: nil)
  }

  func prober(timeout: String = "20") throws -> Prober {
    var environment = ProcessInfo.processInfo.environment
    environment["PTUNE_PROBE_TIMEOUT"] = timeout
    return Prober(executable: try Self.command(), environment: environment)
  }

  /// Runs the real `ptune` with nothing but these folders for plugins, and those of its own installation.
  func ptune(_ arguments: [String], environment: [String: String] = [:]) throws -> CommandResult {
    var all = ["XDG_DATA_HOME": folder + "/nobody", "PTUNE_PROBE_TIMEOUT": "20"]
    all.merge(environment) { $1 }
    return try run(try Self.command(), arguments, environment: all)
  }

  static let testFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
  static let packageFolder = URL(fileURLWithPath: testFolder).deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// `ptune`, which the build puts beside the test bundle.
  static func command() throws -> String {
    #if canImport(Darwin)
      let bundle = try #require(Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }).bundlePath
    #else
      let bundle = try #require(executablePath())
    #endif
    let path = URL(fileURLWithPath: bundle).deletingLastPathComponent().path + "/ptune"
    try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is not built")
    return path
  }

  private static func compiler() throws -> String {
    let folders = ProcessInfo.processInfo.environment["PATH", default: "/usr/bin:/bin"].split(separator: ":")
    let candidates = ["cc", "clang", "gcc"].flatMap { name in folders.map { "\($0)/\(name)" } }
    return try #require(
      candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "no C compiler")
  }
}

/// What a command printed and how it ended.
struct CommandResult {
  let status: Int32
  let output: String
  let errors: String

  /// The document that `--json` printed.
  func document() throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
    return try #require(object as? [String: Any])
  }
}

/// Runs a program to its end.
func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws
  -> CommandResult
{
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  // Files rather than pipes: nobody has to read them while the program runs.
  let base = NSTemporaryDirectory() + "/ptune-output-\(UUID().uuidString)"
  defer {
    for end in [".out", ".err"] { try? FileManager.default.removeItem(atPath: base + end) }
  }
  for end in [".out", ".err"] { try Data().write(to: URL(fileURLWithPath: base + end)) }
  process.standardOutput = FileHandle(forWritingAtPath: base + ".out")
  process.standardError = FileHandle(forWritingAtPath: base + ".err")
  process.standardInput = FileHandle.nullDevice
  try process.run()
  process.waitUntilExit()
  return CommandResult(
    status: process.terminationStatus, output: try String(contentsOfFile: base + ".out", encoding: .utf8),
    errors: try String(contentsOfFile: base + ".err", encoding: .utf8))
}
