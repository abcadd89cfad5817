import ArgumentParser
import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText
import PTuneTraining

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An error that can say what to do about it.
protocol HelpfulError: Error, CustomStringConvertible {
  var help: String? { get }
}

extension HyperparameterError: HelpfulError {}
extension ConstructionError: HelpfulError {}
extension UnknownComponentError: HelpfulError {}
extension Rejection: HelpfulError {}
extension EngineFailure: HelpfulError {
  /// Where hyperparameters are explained, if that is what a component refused.
  var help: String? {
    guard method == "create", let name = component.split(separator: " ").last else { return nil }
    return "`ptune describe \(name)` shows what each hyperparameter takes"
  }
}
extension RunFileError: HelpfulError {}
extension TrainingError: HelpfulError {}
extension TextError: HelpfulError {}
extension FileError: HelpfulError {}
extension JSONError: HelpfulError {}
extension GGUFError: HelpfulError {}
extension SafetensorsError: HelpfulError {}
extension ModelError: HelpfulError {}
extension CheckpointError: HelpfulError {}
extension ConfigError: HelpfulError {}
extension ChatTemplateError: HelpfulError {}

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
    Output.message("\(Output.paint("error:", .red)) \(text(of: error))")
    if let help = (error as? any HelpfulError)?.help {
      Output.message("\(Output.paint("help:", .cyan)) \(help)")
    }
  }

  private static func text(of error: any Error) -> String {
    if let error = error as? any HelpfulError { return error.description }
    return PTuneCommand.message(for: error)
  }

  /// A mistake in the arguments, in the words of the argument parser and the form of our own errors.
  private static func report(usage message: String) {
    for line in message.split(separator: "\n") {
      if line.hasPrefix("Error: ") {
        Output.message("\(Output.paint("error:", .red)) \(line.dropFirst(7))")
      } else if line.hasPrefix("  See '") {
        let command = line.dropFirst(7).prefix { $0 != "'" }
        let help = nearestCommand.map { "did you mean `ptune \($0)`?" } ?? "`\(command)` explains"
        Output.message("\(Output.paint("help:", .cyan)) \(help)")
      } else {
        Output.message(String(line))
      }
    }
  }

  /// The subcommand that the first argument most likely means, if it is none.
  private static var nearestCommand: String? {
    guard CommandLine.arguments.count > 1 else { return nil }
    let names = PTuneCommand.configuration.subcommands.compactMap { $0._commandName }
    let first = CommandLine.arguments[1]
    return first.hasPrefix("-") || names.contains(first) ? nil : Suggestion.nearest(first, among: names)
  }
}
