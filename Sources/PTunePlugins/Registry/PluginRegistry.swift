import CPTune

/// Finds plugins and loads those that a run names.
///
/// It belongs to the thread that made it. Plugins are never unloaded.
public final class PluginRegistry {
  private let host: UnsafePointer<ptune_host_v1>
  private let scanner: PluginScanner
  private let provides: Set<String>
  /// Whether an adapter may be used with another major version of a plugin than it was trained with.
  public let allowsOtherVersions: Bool

  /// What was found. The search happens when it is first asked for.
  public private(set) lazy var inventory = scanner.scan()

  /// A registry for a host.
  ///
  /// - Parameters:
  ///   - host: handed to each plugin's entry function; it has to live as long as the process.
  ///   - search: where to look.
  ///   - prober: opens the files in a child process before any is loaded into this one.
  ///   - provides: ids of the interfaces that the host has.
  ///   - admission: asked before a file is opened; nil to open all.
  ///   - allowsOtherVersions: whether adapters may be used with another major version than that of their training.
  public init(
    host: UnsafePointer<ptune_host_v1>, search: PluginSearch, prober: Prober,
    provides: [String] = HostInterfaces.ids, admission: (any PluginAdmission)? = nil,
    allowsOtherVersions: Bool = false
  ) {
    self.allowsOtherVersions = allowsOtherVersions
    self.host = host
    self.provides = Set(provides)
    scanner = PluginScanner(search: search, prober: prober, provides: provides, admission: admission)
  }

  /// Loads the plugin of a component into this process, if it is not there yet.
  ///
  /// - Throws: `UnknownComponentError` if there is no such component; `Rejection` if its file is no longer what
  ///   it was when it was probed.
  public func load(_ kind: ComponentKind, named name: String) throws -> LoadedComponent {
    let description = try inventory.component(kind, named: name)
    let file = description.plugin.file
    do throws(Rejection.Reason) {
      let plugin = try plugin(in: file)
      let report = try readAgain(plugin)
      for (index, component) in report.components.enumerated() where component.name == name {
        guard let found = try? ComponentDescription(component, in: description.plugin, provides: provides),
          found == description, let table = plugin.pointee.components[index]
        else { continue }
        return LoadedComponent(description: description, component: table)
      }
      throw .badDescription("it no longer describes \(kind.noun) '\(name)' as it did when it was probed")
    } catch {
      throw Rejection(path: file, reason: error)
    }
  }

  private func plugin(in file: String) throws(Rejection.Reason) -> UnsafePointer<ptune_plugin_v1> {
    do throws(ProbeMessage.Refusal) {
      return try LoadedPlugins.plugin(in: file, for: host)
    } catch {
      throw Rejection.Reason(error)
    }
  }

  private func readAgain(_ plugin: UnsafePointer<ptune_plugin_v1>) throws(Rejection.Reason) -> PluginReport {
    do throws(DescriptionError) {
      return try PluginReport(reading: plugin)
    } catch {
      throw .badDescription(error.text)
    }
  }
}
