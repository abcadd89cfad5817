import PTuneComposition
import PTuneEngine

/// A checkpoint with other keys in its config.json, or with other names of its tensors.
package final class AlteredCheckpoint: CheckpointSource {
  package let original: ModelCheckpoint
  package let changes: [String: ConfigurationValue]
  package let dropsPrefix: String

  package init(_ folder: String, changes: [String: ConfigurationValue] = [:], dropsPrefix: String = "") throws
  {
    original = try ModelCheckpoint(folder: "\(Workbench.fixtures)/\(folder)")
    self.changes = changes
    self.dropsPrefix = dropsPrefix
  }

  package func configuration(_ key: String) -> ConfigurationValue? {
    changes[key] ?? original.configuration(key)
  }
  package var configurationKeys: [String] { original.configurationKeys }

  package func hasWeight(_ name: String) -> Bool {
    !(dropsPrefix.isEmpty ? false : name.hasPrefix(dropsPrefix)) && original.hasWeight(dropsPrefix + name)
  }
  package func weight(_ name: String) throws -> CheckpointWeight? { try original.weight(dropsPrefix + name) }
}
