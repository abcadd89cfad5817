import Foundation
import Testing

@testable import PTuneText

/// Where the fixtures of Scripts/generate/fixtures/run are.
let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/wordpiece").path

/// Where the fixtures of Scripts/generate/fixtures/run are.
let bpeFixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/bpe").path

/// A folder that goes when the test ends.
final class Folder {
  let path: String

  init(_ files: [String: String] = [:]) throws {
    path = FileManager.default.temporaryDirectory.appending(path: "ptune-text-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files { _ = try file(name, Array(text.utf8)) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }
}

extension TextError {
  /// The whole text a user sees, with the folder of the test taken out.
  func shown(_ folder: Folder) -> String {
    let text = help.map { "\(description)\n\($0)" } ?? description
    return text.replacingOccurrences(of: folder.path + "/", with: "").replacingOccurrences(
      of: folder.path, with: "FOLDER")
  }
}

/// What `body` throws.
func failure<Value>(_ body: () throws -> Value) throws -> TextError {
  do { _ = try body() } catch let error as TextError { return error }
  throw NothingThrown()
}

struct NothingThrown: Error {}
