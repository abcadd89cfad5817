import ArgumentParser
import PTuneFormats
import PTunePlugins

/// `ptune new-plugin NAME`: a project of its own for a new plugin.
struct NewPlugin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new-plugin",
    abstract: "Create a plugin: a small project that builds, passes its checks and works.",
    discussion: """
      The project needs the installed ptune but not its sources. Swift needs a toolchain of the version with \
      which ptune was built, C a compiler, Rust Cargo without crates.

      Examples:
        ptune new-plugin gated-prompt --language c
        ptune new-plugin my-encoder --kind base-model --language swift --output ~/my-encoder
        cd gated-prompt && make check
      """)

  @Argument(help: "The component's name: lower-case words with dashes, as in gated-prompt.")
  var name: String

  @Option(help: "What it is.")
  var kind = ComponentKind.adapter

  @Option(help: "The language of the project.")
  var language = PluginLanguage.swift

  @Option(
    help: ArgumentHelp("The folder to create; by default NAME in the current folder.", valueName: "folder"),
    completion: .directory)
  var output: String?

  func validate() throws {
    guard name.wholeMatch(of: #/[a-z][a-z0-9]*(-[a-z0-9]+)*/#) != nil, name.utf8.count <= 64 else {
      throw ValidationError(
        "'\(name)' is not a component name: use lower-case words with dashes, as in gated-prompt")
    }
  }

  func run() throws {
    let kit = try PluginKit.find(executable: executablePath())
    let project = PluginProject(name: name, kind: kind, language: language, kit: kit)
    let folder = FilePath.normalised(FilePath.join(FileSystem.currentFolder, output ?? name))
    try project.write(to: folder)
    for file in project.fileNames { Output.message("  \(FilePath.join(output ?? name, file))") }
    Output.print(
      """
      \(name) is \(kind.article) in \(language.title). To build it and check it:

        cd \(ShellText.quoted(output ?? name)) && make check
      """)
  }
}

/// What plugins are written in.
enum PluginLanguage: String, CaseIterable, ExpressibleByArgument {
  case swift, c, rust

  var title: String { self == .c ? "C" : rawValue.capitalized }
}

extension ComponentKind {
  /// "an adapter".
  var article: String { (self == .adapter ? "an " : "a ") + noun }
}
