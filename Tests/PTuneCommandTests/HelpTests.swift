import ArgumentParser
import Foundation
import PTuneFormats
import Testing

@testable import PTuneCommand

@Suite("Help and manual") struct HelpTests {
  /// All subcommands that help shows, with what one types for them.
  private static func commands(
    _ command: any ParsableCommand.Type = PTuneCommand.self, _ path: [String] = ["ptune"]
  ) -> [(path: [String], type: any ParsableCommand.Type)] {
    [(path, command)]
      + command.configuration.subcommands.filter { $0.configuration.shouldDisplay }.flatMap {
        commands($0, path + [$0._commandName])
      }
  }

  /// The lines of ptune in a command's examples.
  private static func examples(of command: any ParsableCommand.Type) -> [String] {
    let parts = command.configuration.discussion.components(separatedBy: "Examples:\n")
    return parts.dropFirst().flatMap { $0.split(separator: "\n") }.compactMap { line in
      line.range(of: "ptune ").map { String(line[$0.lowerBound...]) }
    }
  }

  /// The words of a line as a shell takes it apart, up to where its output goes elsewhere.
  private static func words(_ line: String) -> [String] {
    var words: [String] = []
    var (word, quote): (String?, Character?) = (nil, nil)
    for character in line {
      switch character {
      case quote: quote = nil
      case "'" where quote == nil, "\"" where quote == nil: (quote, word) = (character, word ?? "")
      case " " where quote == nil:
        if let whole = word { words.append(whole) }
        word = nil
      case "|" where quote == nil, ">" where quote == nil, ")" where quote == nil:
        return words + (word.map { [$0] } ?? [])
      default: word = (word ?? "") + String(character)
      }
    }
    return words + (word.map { [$0] } ?? [])
  }

  @Test("the help of every command has examples, which are commands that there are")
  func examples() throws {
    for (path, command) in Self.commands() {
      let examples = Self.examples(of: command)
      #expect(!examples.isEmpty, "\(path.joined(separator: " "))")
      for example in examples {
        let words = Self.words(example)
        if path.count > 1 { #expect(words.starts(with: path) || path.last == "bench", "\(example)") }
        #expect(throws: Never.self, "\(example)") {
          _ = try PTuneCommand.parseAsRoot(Array(words.dropFirst()))
        }
      }
    }
  }

  @Test("a manual page is there for every command and has all that its help has")
  func manual() throws {
    let desk = try Desk()
    let result = try desk.ptune("manual", "--output", "man/man1")
    #expect(result.status == 0 && result.output == "" && result.errors == "")
    let pages = try FileSystem.entries(of: desk.folder + "/man/man1")
    #expect(
      pages.sorted() == Self.commands().map { $0.path.joined(separator: "-") + ".1" }.sorted())
    for (path, command) in Self.commands() {
      let page = try desk.text("man/man1/\(path.joined(separator: "-")).1")
      let plain = page.replacingOccurrences(of: "\\f[BIR]", with: "", options: .regularExpression)
        .replacingOccurrences(of: "\\\\f[BIR]", with: "", options: .regularExpression)
        .replacingOccurrences(of: "\\-", with: "-").replacingOccurrences(of: "\\e", with: "\\")
        .replacingOccurrences(of: "\\&", with: "")
      let help = PTuneCommand.helpMessage(for: command, columns: 10_000)
      for flag in help.matches(of: #/--[a-z-]+/#) { #expect(plain.contains(String(flag.output)), "\(path)") }
      for example in Self.examples(of: command) { #expect(plain.contains(example), "\(example)") }
      // A line that begins with a dot is a macro of man(7).
      let macros = Set([".TH", ".SH", ".TP", ".PP", ".nf", ".fi"])
      for line in page.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
        #expect(macros.contains(String(line.prefix { $0 != " " })), "\(line)")
      }
    }
    let wrong = try desk.ptune("manual", "tran")
    #expect(
      wrong.status == 2
        && wrong.errors.hasPrefix("error: There is no subcommand 'tran'. Did you mean 'train'?"))
  }
}
