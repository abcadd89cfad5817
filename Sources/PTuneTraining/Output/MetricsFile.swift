import PTuneFormats
import PTuneText

/// The lines of `metrics.jsonl`.
enum MetricsFile {
  /// Removes the lines of steps after a checkpoint, which a resumed training takes again.
  ///
  /// - Throws: `FileError`.
  static func cut(_ path: String, behind step: Int) throws {
    guard FileSystem.isFile(path) else { return }
    let text = try MappedFile(text: path).withBytes { String(decoding: $0, as: UTF8.self) }
    let lines = text.split(separator: "\n")
    let kept = lines.filter { line in
      (try? JSONValue.parse(String(line)))?["step"]?.intValue.map { $0 <= step } ?? false
    }
    if kept.count < lines.count { try AtomicFile.write(kept.map { $0 + "\n" }.joined(), to: path) }
  }
}
