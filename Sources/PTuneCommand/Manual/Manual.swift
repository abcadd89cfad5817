import ArgumentParser
import PTune
import PTuneFormats

/// `ptune manual`: the manual pages, which `make install` installs. They are made of what `--help` says.
struct Manual: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a manual page, or write all of them into a folder.",
    discussion: """
      Examples:
        ptune manual train | man -l -
        ptune manual --output /usr/local/share/man/man1
      """, shouldDisplay: false)

  @Argument(help: "The subcommand; without one, ptune itself.")
  var command: [String] = []

  @Option(
    help: ArgumentHelp("Write all pages into this folder.", valueName: "folder"), completion: .directory)
  var output: String?

  func validate() throws {
    guard output == nil || command.isEmpty else {
      throw ValidationError("Give either a subcommand or --output")
    }
  }

  func run() throws {
    let pages = ManualPage.all(try JSONValue.parse(PTuneCommand._dumpHelp()))
    if let output {
      try FileSystem.createFolder(output)
      for page in pages { try AtomicFile.write(page.text, to: FilePath.join(output, page.fileName)) }
      return
    }
    guard let page = pages.first(where: { $0.path.dropFirst().elementsEqual(command) }) else {
      let names = pages.dropFirst().map { $0.path.dropFirst().joined(separator: " ") }
      let name = command.joined(separator: " ")
      let nearest = Suggestion.nearest(name, among: names).map { ". Did you mean '\($0)'?" } ?? ""
      throw ValidationError("There is no subcommand '\(name)'\(nearest)")
    }
    Output.data(page.text)
  }
}
