import Foundation
import Testing

@testable import PTuneFormats

/// A folder that is removed when the test ends.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = "\(NSTemporaryDirectory())ptune-\(UUID().uuidString)".replacingOccurrences(of: "//", with: "/")
    try FileSystem.createFolder(path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file, and the folders above it.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try write(name, Array(text.utf8))
  }

  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try FileSystem.createFolder(FilePath.folder(of: self(name)))
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
    return self(name)
  }
}

/// The content of a file.
func content(_ path: String) throws -> [UInt8] {
  try MappedFile(path).withBytes { Array($0) }
}

/// The bytes of hexadecimal digits; white space is skipped.
func bytes(_ hexadecimal: String) -> [UInt8] {
  let digits = hexadecimal.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// A file that begins with the header's length.
func safetensors(_ header: String, data: Int = 0) -> [UInt8] {
  let text = Array(header.utf8)
  return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    + [UInt8](repeating: 0, count: data)
}

/// The text of the error that the body throws, and its help.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch let error as JSONError {
    return text(error.description, error.help)
  } catch let error as FileError {
    return text(error.description, error.help)
  } catch let error as SafetensorsError {
    return text(error.description, error.help)
  } catch let error as GGUFError {
    return text(error.description, error.help)
  } catch let error as ModelError {
    return text(error.description, error.help)
  } catch let error as CheckpointError {
    return text(error.description, error.help)
  } catch let error as ConfigError {
    return text(error.description, error.help)
  } catch {
    return "unexpected \(error)"
  }
}

private func text(_ description: String, _ help: String?) -> String {
  help.map { "\(description)\nhelp: \($0)" } ?? description
}

/// A file in Tests/Fixtures.
func fixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
    + "/Fixtures/\(name)"
}
