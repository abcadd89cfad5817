import ArgumentParser
import PTune
import PTunePlugins

/// The command `ptune`: its subcommands, one to a file, and what every one of them does about errors.
@main
struct PTuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ptune",
    abstract: "Prompt-tune frozen transformers.",
    discussion: """
      Each subcommand has --help. The exit status is 0 for success, 1 for failure, 2 for invalid arguments, and \
      130 after an interruption.

      Examples:
        ptune list-plugins
        ptune train run.yaml
        ptune predict --adapter runs/name/adapter --text "A joy from start to finish."
        ptune compare run.yaml --adapters prompt-tuning,prefix-tuning,p-tuning-v2
      """,
    version: Release.version,
    subcommands: [
      Train.self,
      Eval.self,
      Predict.self,
      Generate.self,
      Compare.self,
      Recommend.self,
      Inspect.self,
      ReportCommand.self,
      Export.self,
      Pull.self,
      Push.self,
      Tokenize.self,
      ListPlugins.self,
      Describe.self,
      CheckPlugin.self,
      NewPlugin.self,
      Lock.self,
      Bench.self,
      Doctor.self,
      Completion.self,
      Manual.self,
      CompareCell.self,
    ])

  /// Exit status: 0 done, 1 failed, 2 usage, 130 interrupted.
  static func main() {
    Output.prepare()
    PluginProbe.runIfAsked(version: Release.version)
    CrashReport.prepare()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Failure.end(with: error)
    }
  }
}
