/// A folder in which downloaded models are kept.
public struct ModelCache: Equatable, Sendable {
  /// Whose layout it has.
  public enum Kind: Sendable {
    /// That of the Hugging Face hub's own library: `models--owner--name`.
    case hub
    /// ptune's: `owner--name`.
    case own
  }

  /// The folder, absolute.
  public let path: String
  /// Whose layout it has.
  public let kind: Kind

  /// How many models are in it; nil if the folder is not there.
  public var modelCount: Int? {
    guard FileSystem.isFolder(path), let entries = try? FileSystem.entries(of: path) else { return nil }
    return entries.count { kind == .hub ? $0.hasPrefix("models--") : !$0.hasPrefix(".") }
  }

  /// The names of the models in it, `owner/name`; empty if the folder is not there.
  public var modelNames: [String] {
    let entries = (try? FileSystem.entries(of: path)) ?? []
    return entries.compactMap { entry -> String? in
      let name = kind == .hub ? (entry.hasPrefix("models--") ? entry.dropFirst(8) : "") : entry[...]
      guard let separator = name.firstRange(of: "--"), !name.hasPrefix(".") else { return nil }
      return name[..<separator.lowerBound] + "/" + name[separator.upperBound...]
    }
  }
}
