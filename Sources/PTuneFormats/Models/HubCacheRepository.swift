/// What of a repository on the hub is meant.
public enum HubContent: Sendable {
  /// A base model.
  case model
  /// An adapter.
  case adapter
  /// An adapter if it is one, else a model.
  case any
}

/// A repository in the Hugging Face cache: `blobs/ETAG` holds the files, `snapshots/COMMIT` their names as links, and
/// `refs/REVISION` the commit.
public struct HubCacheRepository: Equatable, Sendable {
  /// `models--owner--name` in the cache.
  public let folder: String

  /// The place of a repository, which need not be there.
  public init(_ name: HubName, cache: String) {
    folder = "\(cache)/\(name.cacheFolder)"
  }

  /// The folder of a commit's files.
  public func snapshot(_ commit: String) -> String { "\(folder)/snapshots/\(commit)" }

  /// The folder of the files by their ETags.
  public var blobs: String { "\(folder)/blobs" }

  /// The file that holds a revision's commit.
  public func reference(_ revision: String) -> String { "\(folder)/refs/\(revision)" }

  /// The commit of a revision that is here, or nil. Throws ModelError if an abbreviated commit fits several.
  func commit(_ revision: String?, model: String) throws -> String? {
    let reference = reference(revision ?? "main")
    if FileSystem.isFile(reference) {
      let text = try MappedFile(reference).withBytes { String(decoding: $0.prefix(64), as: UTF8.self) }
      let commit = text.filter { !$0.isWhitespace }
      if Self.isCommit(commit), FileSystem.isFolder(snapshot(commit)) { return commit }
    }
    guard let revision, revision.utf8.count >= 4, Self.isCommit(revision),
      FileSystem.isFolder("\(folder)/snapshots")
    else { return nil }
    let fitting = try FileSystem.entries(of: "\(folder)/snapshots").filter { $0.hasPrefix(revision) }
    guard fitting.count <= 1 else {
      throw ModelError(model: model, problem: .ambiguous(commits: fitting))
    }
    return fitting.first
  }

  /// Whether a text is a commit in full: 40 hexadecimal digits.
  public static func isWholeCommit(_ text: String) -> Bool { text.utf8.count == 40 && isCommit(text) }

  /// Whether a name from the network can be that of a file in a folder, and leads nowhere else.
  public static func isFileName(_ text: String) -> Bool {
    (1...200).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: ".")
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
          UInt8(ascii: "+"):
          true
        default: false
        }
      }
  }

  private static func isCommit(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }
}
