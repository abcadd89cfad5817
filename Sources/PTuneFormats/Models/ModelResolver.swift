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
///
/// What no cache has whole, or not in this revision, is fetched by ``fetch``, if there is one.
public struct ModelResolver: Sendable {
  /// Puts what a name on the hub stands for into ``downloadCache``.
  public typealias Fetch = @Sendable (HubName, HubContent) throws -> Void

  private let environment: [String: String]
  private let currentFolder: String
  private let fetch: Fetch?

  /// A resolver that sees this environment; the process's own if none is given.
  ///
  /// - Parameter fetch: fetches what is not there; without it that is an error.
  public init(
    environment: [String: String]? = nil, currentFolder: String? = nil, fetch: Fetch? = nil
  ) {
    self.environment = environment ?? FileSystem.environment
    self.currentFolder = currentFolder ?? FileSystem.currentFolder
    self.fetch = fetch
  }

  /// The Hugging Face cache that downloads belong into: the first one in which names are looked up; nil without HOME.
  public var downloadCache: String? { hubCaches.first }

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
    do {
      return try find(model, relativeTo: folder)
    } catch {
      guard let fetch, path(model, relativeTo: folder) == nil, let name = HubName(model),
        isRemediable(error)
      else { throw error }
      try fetch(name, .model)
      return try find(model, relativeTo: folder)
    }
  }

  /// Whether the hub may have what is missing.
  private func isRemediable(_ error: any Error) -> Bool {
    switch error {
    case let error as ModelError:
      switch error.problem {
      case .notFound, .incomplete: true
      default: false
      }
    case is CheckpointError: true
    default: false
    }
  }

  private func find(_ model: String, relativeTo folder: String) throws -> ResolvedModel {
    if let path = path(model, relativeTo: folder) {
      guard FileSystem.exists(path) else {
        throw ModelError(model: model, problem: .notFound(places: [path], name: nil))
      }
      return ResolvedModel(folder: try checked(path, name: nil), name: nil, commit: nil)
    }
    guard let name = HubName(model) else { throw ModelError(model: model, problem: .noName) }
    var places: [String] = []
    for cache in hubCaches {
      let repository = HubCacheRepository(name, cache: cache)
      guard FileSystem.isFolder(repository.folder) else {
        places.append(repository.folder)
        continue
      }
      if let commit = try repository.commit(name.revision, model: model) {
        let folder = repository.snapshot(commit)
        return ResolvedModel(folder: try checked(folder, name: name), name: name, commit: commit)
      }
      places.append("\(repository.folder) (no revision '\(name.revision ?? "main")')")
    }
    if name.revision == nil, let own = ownCacheFolder(name) {
      if FileSystem.isFolder(own) {
        return ResolvedModel(folder: try checked(own, name: name), name: name, commit: nil)
      }
      places.append(own)
    }
    throw ModelError(model: model, problem: .notFound(places: places, name: name))
  }

  /// The folder of an adapter that a name on the hub stands for; nil for a path, and for a name that is in no cache and
  /// cannot be fetched. Throws ModelError, FileError, and what fetching it throws.
  public func adapterFolder(_ adapter: String) throws -> String? {
    guard path(adapter, relativeTo: ".") == nil, let name = HubName(adapter) else { return nil }
    let found = try adapterSnapshot(name, adapter)
    guard let fetch, !(found.map(Self.holdsAdapter) ?? false) else { return found }
    try fetch(name, .adapter)
    return try adapterSnapshot(name, adapter)
  }

  private func adapterSnapshot(_ name: HubName, _ adapter: String) throws -> String? {
    for cache in hubCaches {
      let repository = HubCacheRepository(name, cache: cache)
      if let commit = try repository.commit(name.revision, model: adapter) {
        return repository.snapshot(commit)
      }
    }
    return nil
  }

  private static func holdsAdapter(_ folder: String) -> Bool {
    ["adapter_config.json", "adapter_model.safetensors"].allSatisfy {
      FileSystem.exists(FilePath.join(folder, $0))
    }
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
    if let name {
      // What a broken download left; of a folder that the user names whoever opens it complains.
      let absent = try Checkpoint.missingShards(folder: folder)
      guard absent.isEmpty else {
        throw ModelError(model: folder, problem: .incomplete(absent.joined(separator: ", "), name: name))
      }
    }
    return folder
  }
}
