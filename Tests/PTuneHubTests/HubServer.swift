import Foundation
import PTuneFormats
import Testing

@testable import PTuneHub

/// `hub_server.py` at work: a hub on 127.0.0.1, and another host where large files lie. It ends with this process.
final class HubServer: Sendable {
  /// The one that all tests share; each has repositories of its own.
  static let shared = Result { try HubServer() }

  let endpoint: String
  // Kept: its end of the pipe is what the server lives by.
  private let input: Pipe

  private init() throws {
    let (process, output) = (Process(), Pipe())
    input = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/hub_server.py",
    ]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    var line = Data()
    while line.last != 0x0A {
      let more = output.fileHandleForReading.readData(ofLength: 1)
      guard !more.isEmpty else { throw HubServerError(description: "the server did not start") }
      line += more
    }
    let ports = String(decoding: line, as: UTF8.self).split(separator: " ")
    endpoint = "http://127.0.0.1:\(ports[0])"
  }

  /// Asks one of the server's own questions.
  func ask(_ path: String, _ question: JSONValue) throws -> JSONValue {
    let settings = try HubSettings(environment: ["HF_ENDPOINT": endpoint, "HOME": "/nowhere"])
    let client = try HubClient(settings, isInterrupted: { false }, waiting: { _, _ in })
    let response = try client.ask(
      HTTPRequest(
        method: .post, url: "\(endpoint)/test/\(path)", body: .bytes(question.bytes(.compact))))
    return try client.document(response)
  }
}

struct HubServerError: Error, CustomStringConvertible {
  let description: String
}

/// One repository on the server, and a cache of one's own. The folder goes with the object.
final class HubDesk {
  let server: HubServer
  let name: String
  let folder: String
  private(set) var commit = ""

  /// - Parameter name: unlike those of other tests.
  init(_ name: String) throws {
    server = try HubServer.shared.get()
    self.name = "test/\(name)"
    folder = "\(NSTemporaryDirectory())ptune-hub-\(UUID().uuidString)".replacingOccurrences(
      of: "//", with: "/")
    try FileSystem.createFolder(folder)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Makes the repository.
  func serve(
    _ files: [String: String], lfs: [String] = [], faults: [String: [String]] = [:],
    more: JSONObject = [:]
  ) throws {
    var request: JSONObject = ["name": .string(name), "lfs": .array(lfs.map { .string($0) })]
    var contents = JSONObject()
    for (file, text) in files.sorted(by: { $0.key < $1.key }) {
      contents[file] = .string(Data(text.utf8).base64EncodedString())
    }
    var troubles = JSONObject()
    for (file, list) in faults { troubles[file] = .array(list.map { .string($0) }) }
    (request["files"], request["faults"]) = (.object(contents), .object(troubles))
    for (key, value) in more { request[key] = value }
    commit = try server.ask("repo", .object(request))["commit"]?.stringValue ?? ""
  }

  func settings(_ more: [String: String] = [:]) throws -> HubSettings {
    var settings = try HubSettings(
      environment: ["HF_ENDPOINT": server.endpoint, "HF_HOME": folder, "HOME": folder].merging(more) { $1 })
    settings.limits.retrySeconds = 0.01
    return settings
  }

  @discardableResult
  func pull(
    _ content: HubContent = .any, revision: String? = nil, file: String? = nil,
    environment: [String: String] = [:], isInterrupted: @escaping () -> Bool = { false },
    report: @escaping (Hub.Event) -> Void = { _ in }
  ) throws -> Hub.Snapshot {
    let hub = try Hub(try settings(environment), isInterrupted: isInterrupted, report: report)
    let name = try #require(HubName(self.name + (revision.map { "@\($0)" } ?? "")))
    return try hub.pull(name, content, ggufFile: file)
  }

  /// Error and help of a pull that fails.
  func failure(
    _ content: HubContent = .any, revision: String? = nil, file: String? = nil,
    environment: [String: String] = [:]
  ) -> String {
    message { try pull(content, revision: revision, file: file, environment: environment) }
  }

  /// The text of the error that the body throws, and its help, without what differs from run to run.
  func message(_ body: () throws -> Void) -> String {
    let text: String
    do {
      try body()
      return "no error"
    } catch let error as HubError {
      text = "\(error)" + (error.help.map { "\n\($0)" } ?? "")
    } catch {
      text = "\(error)"
    }
    return text.replacingOccurrences(of: server.endpoint, with: "HUB")
      .replacingOccurrences(of: server.endpoint.dropFirst(7), with: "HOST")
      .replacingOccurrences(of: folder, with: "FOLDER")
  }

  /// The repository's folder in the cache.
  var cache: String { "\(folder)/hub/models--test--\(name.dropFirst(5))" }

  /// All files and links below the repository's folder; links with where they lead.
  func tree() throws -> [String] {
    let paths = try FileManager.default.subpathsOfDirectory(atPath: cache)
    return paths.sorted().compactMap { path in
      let full = "\(cache)/\(path)"
      if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: full) {
        return "\(path) -> \(target)"
      }
      return FileSystem.isFolder(full) ? nil : path
    }
  }

  func text(_ file: String, commit: String? = nil) throws -> String {
    try String(contentsOfFile: "\(cache)/snapshots/\(commit ?? self.commit)/\(file)", encoding: .utf8)
  }

  /// The requests about the repository, each as "SERVER METHOD FILE RANGE TOKEN".
  func log() throws -> [String] {
    let entries = try server.ask("log", ["name": .string(name)]).arrayValue ?? []
    return entries.map { entry in
      let path = (entry["path"]?.stringValue ?? "").removingPercentEncoding ?? ""
      let file = path.split(separator: "|").dropFirst().first ?? path.split(separator: "/").last ?? ""
      return [
        entry["server"]?.stringValue, entry["method"]?.stringValue, String(file), entry["range"]?.stringValue,
        entry["token"]?.stringValue,
      ].compactMap { $0 }.joined(separator: " ")
    }
  }
}
