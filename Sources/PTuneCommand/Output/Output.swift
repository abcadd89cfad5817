import PTuneFormats
import PTuneLibc

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Where commands write: results to standard output, everything else to standard error.
///
/// With `--json` standard output gets one document and nothing else.
enum Output {
  /// A way to set text off on a terminal.
  enum Paint: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case yellow = "33"
    case cyan = "36"
  }

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

  /// Writes a line, or several, to standard output.
  static func print(_ text: String = "") { part(text + "\n") }

  /// Writes a part of a line to standard output.
  static func part(_ text: String) {
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
    print(String(decoding: try encoder.encode(document), as: UTF8.self))
  }

  /// Writes one JSON document to standard output.
  static func json(_ document: JSONValue) {
    print(document.text(JSONStyle(trailingNewline: false)))
  }

  /// Writes a warning to standard error.
  static func warning(_ text: String) {
    message("\(paint("warning:", .yellow)) \(text)")
  }

  /// Writes a line for the user to standard error.
  static func message(_ text: String) {
    _ = write(text + "\n", to: STDERR_FILENO)
  }

  /// The text set off, if this stream is a terminal that can do it: NO_COLOR turns colours off, CLICOLOR_FORCE turns
  /// them on where there is no terminal.
  static func paint(_ text: String, _ paint: Paint, on stream: Int32 = STDERR_FILENO) -> String {
    guard environment["NO_COLOR", default: ""].isEmpty else { return text }
    let isForced = !["", "0"].contains(environment["CLICOLOR_FORCE", default: ""])
    guard isForced || (isatty(stream) == 1 && environment["TERM"] != "dumb") else { return text }
    return "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m"
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
