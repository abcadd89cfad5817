/// A model's name on the Hugging Face hub: `owner/name`, or `name` alone for some old ones, with `@revision`.
public struct HubName: Equatable, Sendable {
  /// "owner/name".
  public let repository: String
  /// A branch, a tag or a commit; nil for the default branch.
  public let revision: String?

  /// Nil if the text cannot be such a name.
  public init?(_ text: String) {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(names.count), names.allSatisfy({ Self.isName($0) }) else { return nil }
    if parts.count == 2 {
      let pieces = parts[1].split(separator: "/", omittingEmptySubsequences: false)
      guard pieces.allSatisfy({ Self.isName($0) }) else { return nil }
    }
    repository = parts[0]
    revision = parts.count == 2 ? parts[1] : nil
  }

  /// The folder of the repository in the Hugging Face cache.
  var cacheFolder: String { "models--" + joined }

  /// `owner--name`.
  var joined: String { repository.split(separator: "/").joined(separator: "--") }

  /// Letters, digits, "-", "_" and ".", and no way out of a folder.
  private static func isName(_ part: Substring) -> Bool {
    guard let first = part.utf8.first, first != UInt8(ascii: "."), first != UInt8(ascii: "-") else {
      return false
    }
    return part.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
  }
}
