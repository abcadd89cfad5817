import ArgumentParser
import PTuneLibc
import PTunePlugins
import PTuneTerminal

/// `ptune list-plugins`: the components there are, and the files that hold none and why.
struct ListPlugins: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list-plugins",
    abstract: "List the available base models, adapters, selectors and task heads.",
    discussion: """
      Files that were found but cannot be used are listed with the reason.

      Examples:
        ptune list-plugins --kind adapter
        ptune list-plugins --verbose --plugin-path build
      """)

  @Option(help: "Only components of this kind.")
  var kind: ComponentKind?

  @Flag(help: "Print one JSON document.")
  var json = false

  @Flag(name: .shortAndLong, help: "Show plugin ids, hyperparameters and the folders that were searched.")
  var verbose = false

  @OptionGroup var plugins: PluginOptions

  func run() throws {
    let inventory = try plugins.scanner().scan()
    let components = inventory.components.filter { kind == nil || $0.kind == kind }
      .sorted { ($0.kind.order, $0.name) < ($1.kind.order, $1.name) }
    if json {
      try Output.json(InventoryDocument(inventory, components: components))
    } else {
      print(components, of: inventory)
    }
  }

  private func print(_ components: [ComponentDescription], of inventory: PluginInventory) {
    if components.isEmpty {
      Output.print("no \(kind.map { "\($0.noun) " } ?? "")plugins found")
    } else {
      let whole = table(components, withFiles: true)
      // The file is in --verbose, too; what a component is comes first where there is no room for both.
      let hasRoom = whole.leastWidth <= Output.tableWidth(on: STDOUT_FILENO) - 24
      Output.print(hasRoom ? whole : table(components, withFiles: false))
    }
    if verbose {
      section("hyperparameters", components.map { "\($0.schema)" })
      section("plugins", inventory.plugins.map { "\($0.id) \($0.version) (\($0.runtime)) \($0.file)" })
    }
    section("shadowed", inventory.shadowed.map(\.description))
    section("rejected", inventory.rejected.map { withHelp($0) })
    if verbose || components.isEmpty {
      section("searched", inventory.folders.map { "\($0.folder.path): \($0.state)" })
    }
  }

  private func table(_ components: [ComponentDescription], withFiles: Bool) -> TextTable {
    var table = TextTable(["KIND", "NAME", "VERSION", "SUMMARY"] + (withFiles ? ["FILE"] : []))
    for component in components {
      let plugin = component.plugin
      table.add(component.kind.rawValue, component.name, plugin.version, component.summary, plugin.file)
    }
    return table
  }

  private func section(_ title: String, _ lines: [String]) {
    guard !lines.isEmpty else { return }
    Output.print("\n" + Output.paint("\(title):", .bold, on: 1))
    for line in lines { Output.print("  " + line) }
  }

  private func withHelp(_ rejection: Rejection) -> String {
    rejection.help.map { "\(rejection)\n    help: \($0)" } ?? "\(rejection)"
  }
}

extension ComponentKind {
  /// Base models first, as a run names them.
  var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension SearchedFolder.State: CustomStringConvertible {
  /// The state in a few words.
  public var description: String {
    switch self {
    case .searched(let files): files == 1 ? "1 plugin file" : "\(files) plugin files"
    case .missing: "not there"
    case .refused: "refused"
    }
  }
}
