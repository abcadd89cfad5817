import ArgumentParser
import PTuneFormats
import PTunePlugins

/// The options of every command that looks for plugins.
struct PluginOptions: ParsableArguments {
  @Option(
    name: .customLong("plugin-path"),
    help: ArgumentHelp("Look for plugins in this folder first; may be repeated.", valueName: "folder"))
  var folders: [String] = []

  @Option(
    name: .customLong("lock"),
    help: ArgumentHelp(
      "Open only plugins that this file pins; by default ptune.lock next to the run file, or in the current folder.",
      valueName: "file"),
    completion: .file(extensions: ["lock"]))
  var lockFile: String?

  @Flag(
    name: .customLong("allow-other-plugin"),
    help: "Use an adapter with another major version of a plugin than it was trained with.")
  var allowsOther = false

  /// Where to look.
  var search: PluginSearch {
    PluginSearch(options: folders, environment: Output.environment, executable: executablePath())
  }

  /// Opens plugins in a child process, which is this executable again.
  var prober: Prober {
    Prober(executable: executablePath() ?? CommandLine.arguments[0], environment: Output.environment)
  }

  /// Finds plugins and loads none.
  ///
  /// - Parameter runFile: what the command runs, if it runs one.
  /// - Throws: what is wrong with the lock file.
  func scanner(runFile: String? = nil) throws -> PluginScanner {
    PluginScanner(search: search, prober: prober, admission: try lock(runFile: runFile))
  }

  /// What pins the plugins of the command; nil if nothing does.
  ///
  /// - Throws: what is wrong with the lock file, or that the one that was named is not there.
  func lock(runFile: String? = nil) throws -> PluginLock? {
    let file = lockPath(runFile: runFile)
    return lockFile == nil && !FileSystem.exists(file) ? nil : try PluginLock(reading: file)
  }

  /// Where the lock file of a command is, or would be.
  func lockPath(runFile: String?) -> String { lockFile ?? PluginLock.path(besideRun: runFile) }
}

extension ComponentKind: ExpressibleByArgument {}
