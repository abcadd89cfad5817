import ArgumentParser
import PTunePlugins

/// The options of every command that looks for plugins.
struct PluginOptions: ParsableArguments {
  @Option(
    name: .customLong("plugin-path"),
    help: ArgumentHelp("Look for plugins in this folder first; may be repeated.", valueName: "folder"))
  var folders: [String] = []

  /// Where to look.
  var search: PluginSearch {
    PluginSearch(options: folders, environment: Output.environment, executable: executablePath())
  }

  /// Opens plugins in a child process, which is this executable again.
  var prober: Prober {
    Prober(executable: executablePath() ?? CommandLine.arguments[0], environment: Output.environment)
  }

  /// Finds plugins and loads none.
  var scanner: PluginScanner { PluginScanner(search: search, prober: prober) }
}

extension ComponentKind: ExpressibleByArgument {}
