/// Where a model was found.
public struct ResolvedModel: Equatable, Sendable {
  /// The folder, which holds config.json and weights, or the GGUF file.
  public let folder: String
  /// The name, if it was given by one.
  public let name: HubName?
  /// The commit of the hub's repository, if it was found in the Hugging Face cache.
  public let commit: String?
}

/// Finds the folder, or the GGUF file, of a model that the user names by a path or by its name on the Hugging Face hub.
///
/// A path is tried first: as it is if it is absolute, with `~` for the home folder, else from the run file's
/// folder, then from the current one. A name is looked up in the Hugging Face caches, in this order:
/// `$HF_HUB_CACHE`, `$HUGGINGFACE_HUB_CACHE`, `$HF_HOME/hub`, `$XDG_CACHE_HOME/huggingface/hub`,
/// `~/.cache/huggingface/hub`; then, without a revision, in ptune's own:
/// `${XDG_CACHE_HOME:-~/.cache}/ptune/models/owner--name`.
public struct ModelResolver: Sendable {
  private let environment: [String: String]
  private let currentFolder: String

  /// A resolver that sees this environment; the process's own if none is given.
  public init(environment: [String: String]? = nil, currentFolder: String? = nil) {
    self.environment = environment ?? FileSystem.environment
    self.currentFolder = currentFolder ?? FileSystem.currentFolder
  }

  /// The folders in which a name is looked up, in order; ptune's own is the last.
  public var caches: [ModelCache] {
    hubCaches.map { ModelCache(path: $0, kind: .hub) }
      + (cacheHome.map { [ModelCache(path: "\($0)/ptune/models", kind: .own)] } ?? [])
  }

  /// The folder that set-up scripts put a model into.
  public func ownCacheFolder(_ name: HubName) -> String? {
    caches.last { $0.kind == .own }.map { "\($0.path)/\(name.joined)" }
  }

  /// The path that a text stands for, absolute, or nil if it is a name: what begins with "/", "./", "../" or
  /// "~" is a path, so is what ends on ".gguf", and what exists in the run file's folder or in the current one.
  ///
  /// - Parameter folder: the run file's folder.
  public func path(_ text: String, relativeTo folder: String) -> String? {
    let text = text.utf8.count > 1 && text.hasSuffix("/") ? String(text.dropLast()) : text
    if text == "~" || text.hasPrefix("~/"), let home = environment["HOME"] {
      return FilePath.normalised(home + text.dropFirst())
    }
    let places = [folder, currentFolder].map {
      FilePath.normalised(FilePath.join(FilePath.join(currentFolder, $0), text))
    }
    if let existing = places.first(where: FileSystem.exists) { return existing }
    let looksLikePath =
      text == "." || text == ".." || ["/", "./", "../"].contains { text.hasPrefix($0) }
      || Self.isGGUF(text)
    return looksLikePath || HubName(text) == nil ? places[0] : nil
  }

  /// Whether a path is that of a GGUF file, by its name.
  public static func isGGUF(_ path: String) -> Bool { path.lowercased().hasSuffix(".gguf") }

  /// The folder of a model, or its GGUF file. Throws ModelError, CheckpointError, GGUFError or FileError.
  ///
  /// - Parameter folder: the run file's folder, which relative paths start from.
  public func resolve(_ model: String, relativeTo folder: String = ".") throws -> ResolvedModel {
    if let path = path(model, relativeTo: folder) {
      guard FileSystem.exists(path) else {
        throw ModelError(model: model, problem: .notFound(places: [path], name: nil))
      }
      return ResolvedModel(folder: try checked(path, name: nil), name: nil, commit: nil)
    }
    guard let name = HubName(model) else { throw ModelError(model: model, problem: .noName) }
    var places: [String] = []
    for cache in hubCaches {
      let repository = "\(cache)/\(name.cacheFolder)"
      guard FileSystem.isFolder(repository) else {
        places.append(repository)
        continue
      }
      let snapshots = HubRepository(folder: repository)
      if let commit = try snapshots.commit(name.revision, model: model) {
        let folder = snapshots.snapshot(commit)
        return ResolvedModel(folder: try checked(folder, name: name), name: name, commit: commit)
      }
      places.append("\(repository) (no revision '\(name.revision ?? "main")')")
    }
    if name.revision == nil, let own = ownCacheFolder(name) {
      if FileSystem.isFolder(own) {
        return ResolvedModel(folder: try checked(own, name: name), name: name, commit: nil)
      }
      places.append(own)
    }
    throw ModelError(model: model, problem: .notFound(places: places, name: name))
  }

  /// The folder of an adapter that stands in a Hugging Face cache under this name; nil for a path, and for a name that is
  /// in none. Throws ModelError or FileError.
  public func adapterFolder(_ adapter: String) throws -> String? {
    guard path(adapter, relativeTo: ".") == nil, let name = HubName(adapter) else { return nil }
    for cache in hubCaches {
      let repository = HubRepository(folder: "\(cache)/\(name.cacheFolder)")
      if let commit = try repository.commit(name.revision, model: adapter) {
        return repository.snapshot(commit)
      }
    }
    return nil
  }

  private var cacheHome: String? {
    nonEmpty("XDG_CACHE_HOME") ?? nonEmpty("HOME").map { "\($0)/.cache" }
  }

  private var hubCaches: [String] {
    let places = [
      nonEmpty("HF_HUB_CACHE"), nonEmpty("HUGGINGFACE_HUB_CACHE"), nonEmpty("HF_HOME").map { "\($0)/hub" },
      nonEmpty("XDG_CACHE_HOME").map { "\($0)/huggingface/hub" },
      nonEmpty("HOME").map { "\($0)/.cache/huggingface/hub" },
    ]
    return places.compactMap { $0 }.reduce(into: []) { unique, place in
      let place = expanded(place)
      if !unique.contains(place) { unique.append(place) }
    }
  }

  private func nonEmpty(_ variable: String) -> String? {
    environment[variable].flatMap { $0.isEmpty ? nil : $0 }
  }

  private func expanded(_ path: String) -> String {
    guard path.hasPrefix("~/"), let home = environment["HOME"] else {
      return FilePath.normalised(FilePath.join(currentFolder, path))
    }
    return FilePath.normalised(home + path.dropFirst())
  }

  /// The folder, or the only GGUF file in a folder without config.json.
  private func checked(_ folder: String, name: HubName?) throws -> String {
    if Self.isGGUF(folder), FileSystem.isFile(folder) { return folder }
    guard FileSystem.isFolder(folder) else {
      throw ModelError(model: folder, problem: .notAFolder)
    }
    if !FileSystem.exists(FilePath.join(folder, "config.json")), !WeightFiles.present(in: folder) {
      let files = try FileSystem.entries(of: folder).filter(Self.isGGUF)
      guard files.count <= 1 else { throw GGUFError(file: folder, problem: .several(files)) }
      if let file = files.first { return FilePath.join(folder, file) }
    }
    guard WeightFiles.present(in: folder) else {
      let error = CheckpointError.missing(in: folder)
      guard error.problem == .noWeights else { throw error }
      throw ModelError(model: folder, problem: .incomplete("\(WeightFiles.single)", name: name))
    }
    guard FileSystem.exists(FilePath.join(folder, "config.json")) else {
      throw ModelError(model: folder, problem: .incomplete("config.json", name: name))
    }
    return folder
  }
}

/// A repository in the Hugging Face cache: `refs/REVISION` holds the commit, `snapshots/COMMIT` the files.
private struct HubRepository {
  let folder: String

  func snapshot(_ commit: String) -> String { "\(folder)/snapshots/\(commit)" }

  /// The commit of a revision that is here, or nil. Throws ModelError if an abbreviated commit fits several.
  func commit(_ revision: String?, model: String) throws -> String? {
    let reference = "\(folder)/refs/\(revision ?? "main")"
    if FileSystem.isFile(reference) {
      let text = try MappedFile(reference).withBytes { String(decoding: $0.prefix(64), as: UTF8.self) }
      let commit = text.filter { !$0.isWhitespace }
      if isCommit(commit), FileSystem.isFolder(snapshot(commit)) { return commit }
    }
    guard let revision, revision.utf8.count >= 4, isCommit(revision),
      FileSystem.isFolder("\(folder)/snapshots")
    else { return nil }
    let fitting = try FileSystem.entries(of: "\(folder)/snapshots").filter { $0.hasPrefix(revision) }
    guard fitting.count <= 1 else {
      throw ModelError(model: model, problem: .ambiguous(commits: fitting))
    }
    return fitting.first
  }

  private func isCommit(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
      }
  }
}
