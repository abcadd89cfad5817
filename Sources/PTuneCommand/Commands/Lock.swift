import ArgumentParser
import PTuneFormats
import PTunePlugins
import PTuneRunFile
import PTuneTerminal

/// `ptune lock`: pins plugins by the hashes of their files, and accepts files that have changed.
struct Lock: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pin plugins by their hashes, so that a changed file is refused.",
    discussion: """
      ptune.lock is next to the run file. If it exists, commands open only the plugins that it pins, and only if \
      they are unchanged. A run file pins the plugins that it uses; --accept replaces a pinned file by the \
      current one, --add adds the current one for machines that have other builds; with none of these, the \
      pinned files are checked.

      Examples:
        ptune lock run.yaml
        ptune lock --accept lora
        ptune lock --add lora
        ptune lock
      """)

  @Argument(
    help: ArgumentHelp("Pin what this run file uses.", valueName: "run.yaml"), completion: .runFile)
  var runFile: String?

  @Flag(help: "Pin all plugins that are found.")
  var all = false

  @Option(
    help: ArgumentHelp(
      "Accept only the current file of this component, plugin or file name; may be repeated.",
      valueName: "name"))
  var accept: [String] = []

  @Option(
    help: ArgumentHelp(
      "Also accept the current file: another build of what is pinned; may be repeated.", valueName: "name"))
  var add: [String] = []

  @Flag(help: "Print one JSON document.")
  var json = false

  @OptionGroup var hub: HubOptions

  @OptionGroup var plugins: PluginOptions

  func validate() throws {
    guard runFile == nil || !all else { throw ValidationError("give either a run file or --all, not both") }
    if let name = accept.first(where: add.contains) {
      throw ValidationError("give '\(name)' either to --accept or to --add")
    }
  }

  /// What a file came to.
  private enum State: String {
    case unchanged, pinned, accepted, added, missing
  }

  func run() throws {
    let path = plugins.lockPath(runFile: runFile)
    let pins = runFile != nil || all
    guard pins || FileSystem.exists(path) else { throw PluginLockError.nothingToDo(file: path) }
    var lock = FileSystem.exists(path) ? try PluginLock(reading: path) : PluginLock(path: path)
    let accepted = Set(try accept.map { try lock.file(named: $0) })
    let added = Set(try add.map { try lock.file(named: $0) })
    let changed = accepted.union(added)
    let known = lock.entries
    // Files under names that are pinned are opened only if they are the ones, or accepted.
    let scanner = PluginScanner(
      search: plugins.search, prober: plugins.prober,
      admission: Admission(lock: lock, changed: changed, admitsOthers: pins))
    let inventory = scanner.scan()
    let found = Set(inventory.plugins.map { FilePath.name(of: $0.file) })
    try refuseChanged(in: inventory, found: found)

    var wanted = Set(inventory.plugins.filter { changed.contains(FilePath.name(of: $0.file)) })
    if all { wanted.formUnion(inventory.plugins) }
    if let runFile {
      for (kind, name) in try RunSpec.read(runFile).components(resolver: try hub.resolver()) {
        wanted.insert(try inventory.component(kind, named: name).plugin)
      }
    }
    for plugin in wanted {
      try lock.pin(
        plugin, components: inventory.components.filter { $0.plugin == plugin }.map(\.name),
        keepingOthers: !accepted.contains(FilePath.name(of: plugin.file)))
    }
    if !wanted.isEmpty { try lock.write() }
    show(lock, before: known, found: found)
  }

  /// - Throws: the first file that has changed, unless another one under its name is as it was.
  private func refuseChanged(in inventory: PluginInventory, found: Set<String>) throws {
    for rejection in inventory.rejected {
      guard case .changed = rejection.reason, !found.contains(FilePath.name(of: rejection.path)) else {
        continue
      }
      throw rejection
    }
  }

  private func show(_ lock: PluginLock, before: [String: PluginLock.Entry], found: Set<String>) {
    let rows = lock.entries.sorted { $0.key < $1.key }.map { file, entry in
      let state: State =
        switch before[file]?.digests {
        case nil: .pinned
        case entry.digests?: found.contains(file) ? .unchanged : .missing
        case let digests?: entry.digests.starts(with: digests) ? .added : .accepted
        }
      return (file: file, entry: entry, state: state)
    }
    if json {
      var files = JSONObject()
      for row in rows {
        files[row.file] = [
          "state": .string(row.state.rawValue), "sha256": .array(row.entry.digests.map { .string($0) }),
        ]
      }
      return Output.json(["lock": .string(lock.path), "plugins": .object(files)])
    }
    var table = TextTable("FILE", "VERSION", "COMPONENTS", "STATE", "SHA-256")
    for row in rows {
      table.add(
        row.file, row.entry.version, row.entry.components.joined(separator: ", "), row.state.rawValue,
        row.entry.digests.map { String($0.prefix(16)) }.joined(separator: ", "))
    }
    Output.print(table)
  }
}

/// What `ptune lock` may open.
private struct Admission: PluginAdmission {
  let lock: PluginLock
  /// Files that may have changed.
  let changed: Set<String>
  /// Whether files that are not pinned are to be looked at, to be pinned.
  let admitsOthers: Bool

  func refusal(of file: String) -> Rejection.Reason? {
    let name = FilePath.name(of: file)
    if changed.contains(name) || (admitsOthers && lock.entries[name] == nil) { return nil }
    return lock.refusal(of: file)
  }
}
