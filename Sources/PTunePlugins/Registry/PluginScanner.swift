/// Finds plugins and learns what they are, without loading any of them into this process.
public struct PluginScanner: Sendable {
  private let search: PluginSearch
  private let prober: Prober
  private let provides: Set<String>
  private let admission: (any PluginAdmission)?

  /// A scanner.
  ///
  /// - Parameters:
  ///   - search: where to look.
  ///   - prober: opens the files in a child process.
  ///   - provides: ids of the interfaces that the host has; a component that needs others is rejected.
  ///   - admission: asked before a file is opened; nil to open all.
  public init(
    search: PluginSearch, prober: Prober, provides: [String] = HostInterfaces.ids,
    admission: (any PluginAdmission)? = nil
  ) {
    self.search = search
    self.admission = admission
    self.prober = prober
    self.provides = Set(provides)
  }

  /// The files that a scan would look at, in the order of the search; opens none.
  public var candidates: [String] { CandidateFinder(search).candidates }

  /// Searches the folders and probes what is in them.
  public func scan() -> PluginInventory {
    let finder = CandidateFinder(search)
    var inventory = PluginInventory()
    inventory.folders = finder.folders
    inventory.rejected = finder.rejected
    inventory.shadowed = finder.shadowed
    let files = finder.candidates.filter { file in
      guard let reason = admission?.refusal(of: file) else { return true }
      inventory.rejected.append(Rejection(path: file, reason: reason))
      return false
    }
    let outcomes = Array(zip(files, prober.probe(files)))
    for (file, outcome) in outcomes {
      switch outcome {
      case .success(let report):
        if let (winner, version) = Self.newer(than: report, from: file, among: outcomes) {
          let reason = Shadowed.Reason.samePlugin(id: report.id, version: report.version, winner: version)
          inventory.shadowed.append(Shadowed(path: file, winner: winner, reason: reason))
        } else {
          inventory.add(report, from: file, provides: provides)
        }
      case .failure(let reason): inventory.rejected.append(Rejection(path: file, reason: reason))
      }
    }
    return inventory
  }

  /// The newest other version of a plugin in its folder, if one is newer. Between folders the order of the search decides.
  private static func newer(
    than report: PluginReport, from file: String,
    among outcomes: [(String, Result<PluginReport, Rejection.Reason>)]
  ) -> (file: String, version: String)? {
    let own = PluginVersion(report.version)
    let others = outcomes.compactMap { other, outcome -> (file: String, version: String)? in
      guard case .success(let found) = outcome, found.id == report.id, folder(of: other) == folder(of: file),
        own < PluginVersion(found.version)
      else { return nil }
      return (other, found.version)
    }
    return others.max { PluginVersion($0.version) < PluginVersion($1.version) }
  }
}

extension PluginInventory {
  /// Adds a plugin and those of its components that can be used, unless others came first.
  mutating func add(_ report: PluginReport, from file: String, provides: Set<String>) {
    if let winner = plugins.first(where: { $0.id == report.id }) {
      let reason = Shadowed.Reason.samePlugin(
        id: report.id, version: report.version, winner: winner.version)
      shadowed.append(Shadowed(path: file, winner: winner.file, reason: reason))
      return
    }
    let plugin = PluginDescription(
      id: report.id, version: report.version, runtime: report.runtime, file: file)
    plugins.append(plugin)
    for component in report.components {
      do throws(Rejection.Reason) {
        let description = try ComponentDescription(component, in: plugin, provides: provides)
        let other = components.first { $0.kind == description.kind && $0.name == description.name }
        if let other, other.plugin == plugin { throw .repeatedComponent }
        if let other {
          let reason = Shadowed.Reason.sameComponent(kind: description.kind, name: description.name)
          shadowed.append(Shadowed(path: file, winner: other.plugin.file, reason: reason))
        } else {
          components.append(description)
        }
      } catch {
        rejected.append(Rejection(path: file, component: component.name, reason: error))
      }
    }
  }
}

extension ComponentDescription {
  /// Judges what a plugin says of a component.
  ///
  /// - Throws: the reason why this host cannot use it.
  init(_ report: PluginReport.Component, in plugin: PluginDescription, provides: Set<String>)
    throws(Rejection.Reason)
  {
    guard let kind = ComponentKind(report.kind) else { throw .unknownKind(report.kind) }
    guard isName(report.name) else { throw .badName }
    let needs = report.needs.split(separator: " ").map(String.init)
    let missing = needs.filter { !provides.contains($0) }
    guard missing.isEmpty else { throw .needs(missing) }
    do throws(SchemaError) {
      schema = try Schema(parsing: report.schema)
    } catch {
      throw .malformedSchema(error)
    }
    let expected = String(report.name.map { $0 == "-" ? "_" : $0 })
    guard schema.name == expected else { throw .otherSchemaName(found: schema.name, expected: expected) }
    self.kind = kind
    self.needs = needs
    self.plugin = plugin
    (name, summary, documentation) = (report.name, report.summary, report.documentation)
  }
}

/// Lower-case words of letters and digits with single dashes between, a letter first.
private func isName(_ name: String) -> Bool {
  let words = name.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
  let isWord = { (word: Substring.UTF8View) in
    !word.isEmpty
      && word.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (0x30...0x39).contains($0)
      }
  }
  return words.allSatisfy(isWord) && name.utf8.first.map { $0 > 0x39 } == true
}
