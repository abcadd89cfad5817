import PTune
import PTuneFormats

/// A manual page of a command in the language of man(7), made of the argument parser's description of it, which is what
/// `--help` is made of as well.
struct ManualPage {
  /// The command's words: "ptune", "bench", "steps".
  let path: [String]
  private let command: JSONValue

  /// The pages of a command and of all its subcommands that help shows.
  ///
  /// - Parameter description: as `--experimental-dump-help` prints it.
  static func all(_ description: JSONValue) -> [ManualPage] {
    guard let root = description["command"] else { return [] }
    return pages(root, below: [])
  }

  private static func pages(_ command: JSONValue, below path: [String]) -> [ManualPage] {
    let page = ManualPage(path: path + [command["commandName"]?.stringValue ?? ""], command: command)
    return [page] + page.subcommands.flatMap { pages($0, below: page.path) }
  }

  /// Those that help shows. The argument parser's own `help` needs no page.
  private var subcommands: [JSONValue] {
    (command["subcommands"]?.arrayValue ?? []).filter {
      $0["shouldDisplay"]?.boolValue != false && $0["commandName"] != "help"
    }
  }

  private var name: String { path.joined(separator: "-") }
  /// "ptune-train.1".
  var fileName: String { "\(name).1" }

  private var abstract: String { command["abstract"]?.stringValue ?? "" }

  private var arguments: [JSONValue] {
    (command["arguments"]?.arrayValue ?? []).filter { $0["shouldDisplay"]?.boolValue != false }
  }

  /// The page.
  var text: String {
    var lines = [
      ".TH \"\(name.uppercased())\" 1 \"\" \"ptune \(Release.version)\" \"ptune\"", ".SH NAME",
      "\(Self.escaped(name)) \\- \(Self.escaped(withoutPeriod(abstract)))", ".SH SYNOPSIS", synopsis,
      ".SH DESCRIPTION",
    ]
    let discussion = command["discussion"]?.stringValue ?? ""
    var parts = discussion.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var examples: [String] = []
    if let start = parts.firstIndex(of: "Examples:") {
      examples = Array(parts[(start + 1)...])
      parts = Array(parts[..<start])
    }
    lines += [Self.escaped(abstract)] + Self.paragraphs(parts)
    lines += section("ARGUMENTS", arguments.filter { $0["kind"] == "positional" })
    lines += section("OPTIONS", arguments.filter { $0["kind"] != "positional" })
    if !subcommands.isEmpty {
      lines.append(".SH COMMANDS")
      for subcommand in subcommands {
        let page = ManualPage(
          path: path + [subcommand["commandName"]?.stringValue ?? ""], command: subcommand)
        lines += [".TP", "\\fB\(Self.escaped(page.name))\\fR(1)", Self.escaped(page.abstract)]
      }
    }
    if !examples.isEmpty { lines += [".SH EXAMPLES"] + Self.literal(examples) }
    if path.count > 1 {
      lines += [
        ".SH SEE ALSO", "\\fB\(Self.escaped(path.dropLast().joined(separator: "-")))\\fR(1)",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func withoutPeriod(_ text: String) -> String {
    text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  private var synopsis: String {
    let words = path.map(Self.escaped).joined(separator: " ")
    let positional = arguments.filter { $0["kind"] == "positional" }.map { argument -> String in
      let value = "\\fI\(Self.escaped(argument["valueName"]?.stringValue ?? ""))\\fR"
      let repeated = argument["isRepeating"]?.boolValue == true ? "\(value) ..." : value
      return argument["isOptional"]?.boolValue == true ? "[\(repeated)]" : repeated
    }
    return
      (["\\fB\(words)\\fR"] + (subcommands.isEmpty ? ["[\\fIoptions\\fR]"] : ["\\fIsubcommand\\fR"])
      + positional).joined(separator: " ")
  }

  private func section(_ title: String, _ arguments: [JSONValue]) -> [String] {
    guard !arguments.isEmpty else { return [] }
    return [".SH \(title)"]
      + arguments.flatMap { argument -> [String] in
        [".TP", Self.label(argument), Self.escaped(Self.explanation(argument))]
      }
  }

  /// "-q, --quiet", "--output folder".
  private static func label(_ argument: JSONValue) -> String {
    let value = "\\fI\(escaped(argument["valueName"]?.stringValue ?? ""))\\fR"
    guard argument["kind"] != "positional" else { return value }
    let names = (argument["names"]?.arrayValue ?? []).map { name -> String in
      let dashes = name["kind"] == "long" ? "--" : "-"
      return "\\fB\(escaped(dashes + (name["name"]?.stringValue ?? "")))\\fR"
    }
    return names.joined(separator: ", ") + (argument["kind"] == "option" ? " \(value)" : "")
  }

  private static func explanation(_ argument: JSONValue) -> String {
    var text = argument["abstract"]?.stringValue ?? ""
    let values = (argument["allValues"]?.arrayValue ?? []).compactMap(\.stringValue)
    if !values.isEmpty { text += " One of \(values.joined(separator: ", "))." }
    if let value = argument["defaultValue"]?.stringValue { text += " The default is \(value)." }
    return text
  }

  // MARK: - man(7)

  /// Paragraphs, and indented lines as they stand.
  private static func paragraphs(_ lines: [String]) -> [String] {
    var text: [String] = []
    for block in lines.split(whereSeparator: \.isEmpty) {
      if block.allSatisfy({ $0.hasPrefix("  ") }) {
        text += literal(Array(block))
      } else {
        text += [".PP"] + block.map(escaped)
      }
    }
    return text
  }

  private static func literal(_ lines: [String]) -> [String] {
    [".nf"] + lines.map { escaped($0.hasPrefix("  ") ? String($0.dropFirst(2)) : $0) } + [".fi"]
  }

  /// Text in which nothing is a command: backslashes, hyphens as typed, and dots and quotes that begin a line.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "'" where result.isEmpty, "." where result.isEmpty: result += "\\&\(character)"
      case "\n": result += " "
      default: result.append(character)
      }
    }
    return result
  }
}
