import PTuneFormats
import PTuneLibc
import PTuneVisibleText

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Where commands write: results to standard output, everything else to standard error.
///
/// What people read goes through ``VisibleText`` here, in one place, so that no text from outside can command a
/// terminal. Data (JSON, scripts, generated text in a pipe) is written as it is.
///
/// With `--json` standard output gets one document and nothing else.
enum Output {
  /// Lets a write to a closed pipe, or beyond the limit on file sizes, fail instead of ending the process with a
  /// signal, and fills the places of standard streams that the caller closed.
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    // Otherwise the next file to be opened would be taken for standard output. Writing here fails, as it should.
    for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
      _ = open("/dev/null", O_RDONLY)
    }
  }

  /// Writes a line for people, or several, to standard output.
  static func print(_ text: String = "") { data(shown(text, on: STDOUT_FILENO) + "\n") }

  /// Writes generated text: as it is, but to a terminal without what would command it.
  static func generated(_ text: String) { data(isatty(STDOUT_FILENO) == 1 ? VisibleText.lines(text) : text) }

  /// Writes data to standard output, byte by byte as it is.
  static func data(_ text: String) {
    if !write(text, to: STDOUT_FILENO) {
      // Whoever read us has seen enough (`ptune … | head`).
      if errno == EPIPE { exit(0) }
      Failure.end(with: FileError(.write, "standard output"))
    }
  }

  /// Writes one JSON document to standard output.
  static func json(_ document: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    data(JSONValue.escapingHidden(String(decoding: try encoder.encode(document), as: UTF8.self)) + "\n")
  }

  /// Writes one JSON document to standard output.
  static func json(_ document: JSONValue) {
    data(document.text())
  }

  /// Writes a warning to standard error.
  static func warning(_ text: String) {
    message("\(paint("warning:", .yellow)) \(VisibleText.message(text))")
  }

  /// Writes a line for the user to standard error.
  static func message(_ text: String) {
    _ = write(shown(text, on: STDERR_FILENO) + "\n", to: STDERR_FILENO)
  }

  /// The environment of this process.
  static let environment = ProcessInfo.processInfo.environment

  /// Writes all of the text; false if that fails.
  static func write(_ text: String, to stream: Int32) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while let start = rest.baseAddress, !rest.isEmpty {
        let count = PTuneLibc.write(stream, start, rest.count)
        if count >= 0 {
          rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        } else if errno != EINTR {
          return false
        }
      }
      return true
    }
  }
}
