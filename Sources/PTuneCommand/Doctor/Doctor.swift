import ArgumentParser
import CPTune
import PTune
import PTunePlugins

/// `ptune doctor`: what ptune sees of the machine, its libraries, its plugins and its models.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what ptune finds on this machine: processor, libraries, plugins and models.",
    discussion: """
      Examples:
        ptune doctor
        ptune doctor --json
      """)

  @Flag(help: "Print one JSON document.")
  var json = false

  @OptionGroup var plugins: PluginOptions

  func run() throws {
    let diagnosis = Diagnosis(machine: Machine(), kernels: Kernels(), inventory: try plugins.scanner().scan())
    if json {
      try Output.json(diagnosis)
    } else {
      for line in diagnosis.lines { Output.print(line) }
    }
  }
}

/// All that `ptune doctor` finds.
struct Diagnosis: Encodable {
  /// A plugin folder and what is wrong in it.
  struct Folder: Encodable {
    let path, origin, state: String
    let problems: [String]
  }

  let version = Release.version
  let pluginInterface = "\(PTUNE_ABI_MAJOR).\(PTUNE_ABI_MINOR)"
  let machine: Machine
  let kernels: Kernels
  let pluginFolders: [Folder]
  let components: [String: Int]
  let modelFolders: [ModelFolder]

  init(machine: Machine, kernels: Kernels, inventory: PluginInventory) {
    self.machine = machine
    self.kernels = kernels
    modelFolders = ModelFolder.all(environment: Output.environment)
    components = Dictionary(grouping: inventory.components, by: \.kind.rawValue).mapValues(\.count)
    // What a lock leaves out is no problem.
    let rejected = inventory.rejected.filter { rejection in
      if case .notLocked = rejection.reason { false } else { true }
    }
    var folders = inventory.folders.map { searched in
      Folder(
        path: searched.folder.path, origin: searched.folder.origin.rawValue,
        state: searched.state.description,
        problems: rejected.filter { $0.isIn(searched.folder.path) }.map(\.description)
          + inventory.shadowed.filter { $0.path.hasPrefix(searched.folder.path + "/") }.map(\.description))
    }
    for rejection in rejected where !folders.contains(where: { rejection.isIn($0.path) }) {
      folders.append(
        Folder(path: rejection.path, origin: "", state: "refused", problems: [rejection.description]))
    }
    pluginFolders = folders
  }

  /// The diagnosis for people.
  var lines: [String] {
    var lines = [
      "ptune       \(version), plugin interface \(pluginInterface)",
      "system      \(machine.system), \(machine.architecture)",
      "processor   \(machine.processor)",
      "features    \(machine.features.isEmpty ? "none known" : machine.features.joined(separator: " "))",
      "threads     \(machine.threads)" + (machine.quota.map { ", limited to the time of \($0)" } ?? ""),
      "memory      \(gibibytes(machine.memory))"
        + (machine.availableMemory.map { ", \(gibibytes($0)) available" } ?? ""),
    ]
    if let limit = machine.memoryLimit {
      let used = machine.limitedMemoryInUse.map { ", \(gibibytes($0)) of them in use" } ?? ""
      lines.append("            limited to \(gibibytes(limit)) by a control group\(used)")
    }
    if let limit = machine.addressSpaceLimit {
      lines.append("            limited to \(gibibytes(limit)) of address space by ulimit -v")
    }
    lines += kernels.lines
    let counts = ComponentKind.allCases.map { kind in
      let count = components[kind.rawValue, default: 0]
      return "\(count) \(kind.noun)\(count == 1 ? "" : "s")"
    }
    lines.append("plugins     " + counts.joined(separator: ", "))
    for folder in pluginFolders {
      lines.append("  \(folder.path): \(folder.state)")
      lines += folder.problems.map { "    \(Output.paint("problem:", .yellow, on: 1)) \($0)" }
    }
    lines.append("models")
    lines += modelFolders.map {
      "  \($0.path): \($0.models.map { $0 == 1 ? "1 model" : "\($0) models" } ?? "not there") (\($0.purpose))"
    }
    return lines
  }

  private func gibibytes(_ bytes: UInt64) -> String {
    let tenths = (bytes * 10 + 1 << 29) >> 30
    return "\(tenths / 10).\(tenths % 10) GiB"
  }
}

extension Rejection {
  fileprivate func isIn(_ folder: String) -> Bool {
    path == folder || path.hasPrefix(folder + "/")
  }
}
