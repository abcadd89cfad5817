import ArgumentParser
import PTuneFormats
import PTunePlugins

/// `ptune completion SHELL`: what teaches a shell to complete our commands.
struct Completion: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a script with which a shell completes commands, flags, plugins and files.",
    discussion: """
      Examples:
        source <(ptune completion bash)
        ptune completion zsh >~/.zfunc/_ptune
        ptune completion fish >~/.config/fish/completions/ptune.fish
      """)

  /// The shells there are scripts for.
  enum Shell: String, CaseIterable, ExpressibleByArgument {
    case bash, zsh, fish
  }

  @Argument(help: "bash, zsh, or fish 3.4 or later.")
  var shell: Shell

  func run() {
    let shell: CompletionShell =
      switch self.shell {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    let script = PTuneCommand.completionScript(for: shell)
    Output.data((self.shell == .fish ? Self.forOlderFish(script) : script) + "\n")
  }

  /// The argument parser asks fish how far within a word the cursor is in a way that fish 3 refuses while it completes a
  /// line that nobody types; the length of the word up to the cursor is the same.
  private static func forOlderFish(_ script: String) -> String {
    let parts = script.split(separator: "(__ptune_tokens -tC)", omittingEmptySubsequences: false)
    return parts.joined(separator: "(string length -- (commandline -ct | string collect))")
  }
}

extension CompletionKind {
  /// Run files.
  static var runFile: CompletionKind { .file(extensions: ["yaml", "yml"]) }

  /// The names of components of a kind, or of all.
  static func components(_ kind: ComponentKind? = nil) -> CompletionKind {
    .custom { _, _, _ in
      let components = PluginOptions().inventoryForCompletion.components
      return Set(components.filter { kind == nil || $0.kind == kind }.map(\.name)).sorted()
    }
  }

  /// Adapter folders below the folder that was typed so far, or below the current one.
  static var adapterFolder: CompletionKind {
    .custom { _, _, typed in
      let slash = typed.lastIndex(of: "/")
      let start = slash.map { String(typed[...$0]) } ?? ""
      return Self.adapters(below: start, depth: 3)
    }
  }

  private static func adapters(below folder: String, depth: Int) -> [String] {
    let names = (try? FileSystem.entries(of: folder.isEmpty ? "." : folder)) ?? []
    return names.filter { !$0.hasPrefix(".") }.flatMap { name -> [String] in
      let path = folder + name
      guard FileSystem.isFolder(path) else { return [] }
      if FileSystem.isFile(path + "/adapter_config.json") { return [path] }
      return depth > 1 ? adapters(below: path + "/", depth: depth - 1) : []
    }
  }
}

extension PluginOptions {
  /// What there is where nobody gave a folder: a shell asks while its user types.
  fileprivate var inventoryForCompletion: PluginInventory {
    PluginScanner(
      search: PluginSearch(options: [], environment: Output.environment, executable: executablePath()),
      prober: prober, admission: try? PluginLock(reading: PluginLock.path(besideRun: nil))
    ).scan()
  }
}
