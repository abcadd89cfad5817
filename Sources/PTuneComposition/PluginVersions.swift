import PTuneFormats
import PTunePlugins

/// The plugins that an adapter was trained with, against those that are there now. Another version may compute something else
/// from the same numbers.
struct PluginVersions {
  /// The plugins of the training.
  let trained: [UsedPlugin]
  /// The adapter's folder.
  let adapter: String
  /// Whether another major version is worth a warning only.
  let allowsOther: Bool
  /// Takes warnings.
  let log: (_ level: Int32, _ message: String) -> Void

  /// Compares a plugin's version with that of the training: another one of the same major version is worth a word, another
  /// major version is refused unless the plugin says that it reads what the other one wrote.
  ///
  /// - Parameter reads: earlier major versions whose adapters the component reads, as it says.
  /// - Throws: ``OtherPluginVersion``.
  func check(_ present: UsedPlugin, reads: [String]) throws(OtherPluginVersion) {
    guard let before = trained.first(where: { $0.kind == present.kind && $0.name == present.name }),
      before.version != present.version
    else { return }
    let (old, new) = (Self.major(before.version), Self.major(present.version))
    let difference = OtherPluginVersion(
      adapter: adapter, kind: present.kind, name: present.name, trained: before.version,
      present: present.version, file: present.file)
    if old == new || reads.contains(old) {
      log(2, "\(difference); \(old == new ? "both are version \(old)" : "it reads what that one wrote")")
    } else if allowsOther {
      log(2, "\(difference); it may compute something else")
    } else {
      throw difference
    }
  }

  /// What stands before the first dot: "2" of "2.0.1".
  private static func major(_ version: String) -> String {
    String(version.prefix { $0 != "." })
  }
}

/// An adapter whose plugin is of another version than in its training.
public struct OtherPluginVersion: HelpfulError, Hashable {
  /// The adapter's folder.
  public let adapter: String
  /// The component's kind and name.
  public let kind: ComponentKind
  /// The component's name.
  public let name: String
  /// The plugin's version in training.
  public let trained: String
  /// The plugin's version now.
  public let present: String
  /// The plugin's file now.
  public let file: String

  /// Which plugin, and both versions.
  public var description: String {
    "'\(adapter)' was trained with \(kind.noun) '\(name)' \(trained), and \(file) is \(present)"
  }

  /// What the user can do.
  public var help: String? {
    "put version \(trained) back, or use --allow-other-plugin if both are known to compute the same"
  }
}
