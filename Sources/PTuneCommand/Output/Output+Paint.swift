import PTuneLibc
import PTuneVisibleText

extension Output {
  /// A way to set text off on a terminal.
  enum Paint: UInt32, CaseIterable {
    case bold = 1
    case dim, red, yellow, cyan

    /// What turns it on.
    fileprivate var sequence: String {
      switch self {
      case .bold: "\u{1B}[1m"
      case .dim: "\u{1B}[2m"
      case .red: "\u{1B}[31m"
      case .yellow: "\u{1B}[33m"
      case .cyan: "\u{1B}[36m"
      }
    }

    /// A noncharacter that stands for the sequence until the text is written: no escape of anyone else's passes then.
    fileprivate var mark: String {
      Unicode.Scalar(Self.end.value + rawValue).map { String(Character($0)) } ?? ""
    }

    /// The mark behind text that is set off.
    fileprivate static let end = Unicode.Scalar(0xFDD0 as UInt32) ?? " "

    /// What a mark stands for, or nil for another character.
    fileprivate static func sequence(of scalar: Unicode.Scalar) -> String? {
      guard scalar != end else { return "\u{1B}[0m" }
      return scalar.value > end.value ? Self(rawValue: scalar.value - end.value)?.sequence : nil
    }
  }

  /// The text set off, if this stream is a terminal that can do it: NO_COLOR turns colours off, CLICOLOR_FORCE turns
  /// them on where there is no terminal. Only for text that is then written as ``shown(_:on:)`` says.
  static func paint(_ text: String, _ paint: Paint, on stream: Int32 = STDERR_FILENO) -> String {
    guard hasColours(stream) else { return text }
    return "\(paint.mark)\(VisibleText.lines(text))\(Paint.end)"
  }

  private static func hasColours(_ stream: Int32) -> Bool {
    guard environment["NO_COLOR", default: ""].isEmpty else { return false }
    let isForced = !["", "0"].contains(environment["CLICOLOR_FORCE", default: ""])
    return isForced || (isatty(stream) == 1 && environment["TERM"] != "dumb")
  }

  /// The text as people may see it: without what would command a terminal, but with the colours of ptune itself.
  static func shown(_ text: String, on stream: Int32) -> String {
    guard hasColours(stream) else { return VisibleText.lines(text) }
    var shown = ""
    var start = text.startIndex
    for index in text.unicodeScalars.indices {
      guard let sequence = Paint.sequence(of: text.unicodeScalars[index]) else { continue }
      shown += VisibleText.lines(String(text[start..<index])) + sequence
      start = text.unicodeScalars.index(after: index)
    }
    return shown + VisibleText.lines(String(text[start...]))
  }
}
