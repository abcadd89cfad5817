import Foundation
import PTuneFormats
import PTunePlugins
import Testing

/// A temporary folder with a run file, its data and a copy of the tiny BERT of Tests/Fixtures, in which tests run the
/// real `ptune`. It goes with the object.
final class Desk {
  let folder: String

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/ptune-command-XXXXXX").utf8CString)
    let made = try #require(mkdtemp(&template))
    let path = try #require(realpath(made, nil))
    defer { free(path) }
    folder = String(cString: path)
    try FileManager.default.copyItem(atPath: Self.fixtures + "/tiny-bert", toPath: folder + "/model")
    try write("run.yaml", Self.run)
    for (file, rows) in [("train.tsv", 48), ("dev.tsv", 16), ("test.tsv", 16)] {
      try write(file, Self.table(rows: rows))
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  static let run = """
    base: {model: model}
    adapter: {plugin: p-tuning-v2, virtual_tokens: 4, depth: 2}
    tasks:
      - name: tone
        head: {plugin: sequence-classification, dropout: 0}
        data: {train: train.tsv, validation: dev.tsv, test: test.tsv, text: sentence}
    training: {epochs: 2, batch_size: 8, learning_rate: 0.01, log_every: 5, threads: 2}
    output: out

    """

  /// Sentences in words of the fixture's vocabulary: even rows are positive, odd ones negative.
  private static func table(rows: Int) -> String {
    let other = ["the", "film", "movie", "story", "plot", "actor", "scene"]
    let telling = [["good", "great", "fine", "fun", "warm"], ["bad", "worse", "dull", "cold", "slow"]]
    let lines = (0..<rows).map { row in
      let words = (0...row % 4).map { other[(row * 5 + $0 * 3) % other.count] }
      let word = telling[row % 2][row / 2 % 5]
      return "\(words.joined(separator: " ")) was \(word)\t\(row % 2 == 0 ? "positive" : "negative")\n"
    }
    return "sentence\tlabel\n" + lines.joined()
  }

  static let fixtures =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures"

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, bytes: Array(text.utf8))
  }

  @discardableResult
  func write(_ name: String, bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    return "\(folder)/\(name)"
  }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
  }

  func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
  }

  /// A copy of one of the models of Tests/Fixtures.
  func copyModel(_ fixture: String, as name: String) throws {
    try FileManager.default.copyItem(atPath: "\(Self.fixtures)/\(fixture)", toPath: "\(folder)/\(name)")
  }

  /// A copy of the model whose config.json is changed.
  func model(_ name: String, config change: (String) -> String) throws {
    try FileManager.default.copyItem(atPath: "\(folder)/model", toPath: "\(folder)/\(name)")
    try write("\(name)/config.json", change(try text("model/config.json")))
  }

  /// Runs `ptune` in the folder.
  func ptune(_ arguments: String..., input: String = "") throws -> Outcome {
    try ptune(arguments, input: input)
  }

  func ptune(_ arguments: [String], input: String = "") throws -> Outcome {
    let process = try process(try Self.command(), arguments)
    process.standardInput = FileHandle(forReadingAtPath: try write(".input", input))
    return try outcome(of: process)
  }

  /// Runs a line of shell in the folder, where `ptune` is the real one.
  func shell(_ line: String) throws -> Outcome {
    let command = "ptune() { '\(try Self.command())' \"$@\"; }; \(line)"
    return try outcome(of: try process("/bin/bash", ["-c", command]))
  }

  func process(_ program: String, _ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    var environment = ProcessInfo.processInfo.environment
    // As users have it: what runs the tests may ask for backtraces.
    environment["SWIFT_BACKTRACE"] = nil
    process.environment = environment.merging([
      "HOME": folder, "XDG_DATA_HOME": folder + "/nobody", "XDG_CACHE_HOME": folder + "/cache",
      "HF_HOME": folder + "/hf", "HF_HUB_OFFLINE": "1",
      "HF_HUB_CACHE": "", "HUGGINGFACE_HUB_CACHE": "", "PTUNE_PLUGIN_PATH": "",
    ]) { $1 }
    return process
  }

  /// Starts a training without end, and waits until its header says that it begins.
  ///
  /// - Returns: the training, its standard output, and what was read of that so far.
  func endlessTraining(
    errors: Pipe? = nil, environment: [String: String] = [:]
  ) throws -> (process: Process, output: Pipe, begun: String) {
    let process = try process(
      try Desk.command(),
      ["train", "run.yaml", "--epochs", "100000", "--set", "training.evaluate_every=never"])
    process.environment?.merge(environment) { $1 }
    let output = Pipe()
    process.standardOutput = output
    if let errors { process.standardError = errors }
    try process.run()
    var begun = ""
    while !begun.contains("training  ") {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { break }
      begun += String(decoding: data, as: UTF8.self)
    }
    return (process, output, begun)
  }

  private func outcome(of process: Process) throws -> Outcome {
    // Files rather than pipes: nobody has to read them while the program runs.
    let (output, errors) = (try write(".output", ""), try write(".errors", ""))
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, output: short(try text(".output")),
      errors: short(try text(".errors")))
  }

  /// The text with FOLDER and PLUGINS for the folders that differ from machine to machine.
  func short(_ text: String) -> String {
    let built = URL(fileURLWithPath: (try? Self.command()) ?? "/nowhere").deletingLastPathComponent()
    return text.replacingOccurrences(of: folder, with: "FOLDER")
      .replacingOccurrences(of: built.resolvingSymlinksInPath().path, with: "PLUGINS")
      .replacingOccurrences(of: built.path, with: "PLUGINS")
  }

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
}

/// What a command printed and how it ended.
struct Outcome {
  let status: Int32
  let output: String
  let errors: String

  /// The document that `--json` printed: standard output holds nothing else.
  func document() throws -> JSONValue { try JSONValue.parse(output) }
}
