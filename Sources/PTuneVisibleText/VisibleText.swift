/// Text from outside (a file's name, a tensor's, a token's, a label, an answer of a server) as it may be shown to people.
///
/// A terminal takes control characters for commands: they move the cursor, change the title, or hide what was printed.
/// Here each is written out as `\u{1B}`. So are the characters that turn the direction of the text around them, the
/// line separators of Unicode, and the noncharacters by which colours are marked until they are written.
public enum VisibleText {
  /// A name on one line: line feeds and tabs are written out, too.
  ///
  /// - Parameter limit: The number of Unicode scalars that are shown; "…" stands for the rest.
  public static func name(_ text: some StringProtocol, limit: Int = 120) -> String {
    let scalars = text.unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
      end < scalars.endIndex
    else { return escaped(String(text), keepingLines: false) }
    return escaped(String(text[..<end]), keepingLines: false) + "…"
  }

  /// Names as a list between commas, of which only the first are shown: "a, b, c and 9,997 more".
  public static func names(_ names: some Collection<String>, limit: Int = 20) -> String {
    let shown = names.prefix(limit).map { name($0) }.joined(separator: ", ")
    return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
  }

  /// Lines of text: line feeds and tabs stay.
  ///
  /// - Parameter limit: The number of UTF-8 bytes that are shown; the number of the others stands in their place.
  public static func lines(_ text: String, limit: Int = .max) -> String {
    guard text.utf8.count > limit else { return escaped(text, keepingLines: true) }
    var end = text.utf8.index(text.startIndex, offsetBy: max(0, limit))
    while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
    let rest = text.utf8.distance(from: end, to: text.endIndex)
    return "\(escaped(String(text[..<end]), keepingLines: true))… (\(rest) more bytes)"
  }

  /// A message that begins a line: a line within it starts with a blank, so that text from outside can't begin one with
  /// "error:" or a prompt of the shell.
  ///
  /// - Parameter limit: The number of UTF-8 bytes that are shown.
  public static func message(_ text: String, limit: Int = 8000) -> String {
    let shown = lines(text, limit: limit)
    guard shown.utf8.contains(0x0A) else { return shown }
    return shown.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
      index == 0 || line.isEmpty || line.first == " " ? String(line) : "  \(line)"
    }.joined(separator: "\n")
  }

  /// Whether the character is written out wherever text is shown.
  public static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F..<0xA0: true
    // Line and paragraph separators; embeddings, overrides and isolates of bidirectional text.
    case 0x2028...0x202E, 0x2066...0x2069: true
    case 0xFDD0...0xFDEF: true
    default: false
    }
  }

  private static func escaped(_ text: String, keepingLines: Bool) -> String {
    guard mayHide(text, keepingLines: keepingLines) else { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isHidden(scalar), !(keepingLines && (scalar == "\n" || scalar == "\t")) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        shown.append(contentsOf: "\\u{\(digits.count < 2 ? "0" : "")\(digits)}".unicodeScalars)
      } else {
        shown.append(scalar)
      }
    }
    return String(shown)
  }

  /// A quick look at the bytes, false for nearly all texts.
  private static func mayHide(_ text: String, keepingLines: Bool) -> Bool {
    text.utf8.contains { byte in
      switch byte {
      case 0x09, 0x0A: !keepingLines
      case 0..<0x20, 0x7F, 0xC2, 0xE2, 0xEF: true
      default: false
      }
    }
  }
}
