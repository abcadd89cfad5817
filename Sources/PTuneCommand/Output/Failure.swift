import ArgumentParser
import PTune
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneLibc
import PTunePlugins
import PTuneRunFile
import PTuneText
import PTuneVisibleText

extension LostWeight: HelpfulError {}

extension EngineFailure: HelpfulError {
  /// Where hyperparameters are explained, if that is what a component refused.
  public var help: String? {
    guard method == "create", let name = component.split(separator: " ").last else { return nil }
    return "`ptune describe \(name)` shows the values of each hyperparameter"
  }
}

/// How a command that throws ends: what it prints and its exit status.
enum Failure {
  static let usageStatus: Int32 = 2
  static let interruptedStatus: Int32 = 130

  /// Prints the error and ends the process.
  static func end(with error: any Error) -> Never {
    if error is CancellationError { exit(interruptedStatus) }
    switch PTuneCommand.exitCode(for: error) {
    case .success:
      Output.print(PTuneCommand.fullMessage(for: error))
      exit(0)
    case .validationFailure:
      report(usage: PTuneCommand.fullMessage(for: error))
      exit(usageStatus)
    case let code:
      if !(error is ExitCode) { report(error) }
      exit(code.rawValue)
    }
  }

  /// Prints `error: …` and, where there is something to do, `help: …`.
  static func report(_ error: any Error) {
    Output.message("\(Output.paint("error:", .red)) \(VisibleText.message(text(of: error)))")
    let nearest = NearestName.meant(by: error).map { "did you mean '\($0)'?" }
    if let help = nearest ?? (error as? any HelpfulError)?.help {
      Output.message("\(Output.paint("help:", .cyan)) \(VisibleText.message(help))")
    }
  }

  private static func text(of error: any Error) -> String {
    if let error = error as? any HelpfulError { return error.description }
    return PTuneCommand.message(for: error)
  }

  /// A mistake in the arguments, in the words of the argument parser and the form of our own errors.
  private static func report(usage message: String) {
    // The argument parser goes by letters alone: `--lr` is `--set` to it.
    let option = nearestOption(message).flatMap { message.contains("'\($0)'") ? nil : $0 }
    let value = nearestValue(message) ?? option
    for line in message.split(separator: "\n") {
      if line.hasPrefix("Error: ") {
        let error = option == nil ? line : line.prefix(while: { $0 != "." })
        Output.message("\(Output.paint("error:", .red)) \(error.dropFirst(7))")
      } else if line.hasPrefix("  See '") {
        let command = line.dropFirst(7).prefix { $0 != "'" }
        let help =
          value.map { "did you mean '\($0)'?" } ?? nearestCommand.map {
            "did you mean `ptune \($0)`?"
          }
          ?? "`\(command)` explains"
        Output.message("\(Output.paint("help:", .cyan)) \(help)")
      } else {
        Output.message(String(line))
      }
    }
  }

  /// The value that most likely was meant where an option takes some: the message quotes what was given, the option, and
  /// what there is.
  private static func nearestValue(_ message: String) -> String? {
    guard message.hasPrefix("Error: The value '"), message.contains("Please provide one of '") else {
      return nil
    }
    let line = message.prefix { $0 != "\n" }
    let quoted = line.split(separator: "'", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    return quoted.count > 2 ? Suggestion.nearest(quoted[0], among: quoted.dropFirst(2)) : nil
  }

  /// The option of the command that one that it does not know most likely means.
  private static func nearestOption(_ message: String) -> String? {
    let quoted = message.split(separator: "'", omittingEmptySubsequences: false)
    guard message.hasPrefix("Error: Unknown option '--"), quoted.count > 1 else { return nil }
    var command: any ParsableCommand.Type = PTuneCommand.self
    for word in CommandLine.arguments.dropFirst() {
      guard let next = command.configuration.subcommands.first(where: { $0._commandName == word }) else {
        break
      }
      command = next
    }
    let words = PTuneCommand.helpMessage(for: command).split { !"abcdefghijklmnopqrstuvwxyz-".contains($0) }
    let options = Set(words.filter { $0.hasPrefix("--") && $0.count > 2 }.map { String($0.dropFirst(2)) })
      .sorted()
    return Suggestion.nearest(String(quoted[1].dropFirst(2)), among: options).map { "--\($0)" }
  }

  /// The subcommand that the first word most likely means that should be one and is none, with those before it.
  private static var nearestCommand: String? {
    var command: any ParsableCommand.Type = PTuneCommand.self
    var path: [String] = []
    for word in CommandLine.arguments.dropFirst() {
      let subcommands = command.configuration.subcommands
      guard !subcommands.isEmpty, !word.hasPrefix("-") else { return nil }
      if let next = subcommands.first(where: { $0._commandName == word }) {
        command = next
        path.append(word)
        continue
      }
      let names = subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName } + ["help"]
      return names.contains(word)
        ? nil : Suggestion.nearest(word, among: names).map { (path + [$0]).joined(separator: " ") }
    }
    return nil
  }
}
