import PTuneFormats

/// Which files of a repository are fetched: those that ptune reads, the weights last.
struct DownloadChoice {
  /// What the repository is fetched for.
  typealias Purpose = HubContent

  /// Files at the top of the repository, in the order in which they are fetched.
  var files: [String]
  /// Whether `files` ends on an index whose shards are to come.
  var hasIndex = false

  static let adapterConfig = AdapterFolderFiles.config
  static let adapterFiles = [
    adapterConfig, AdapterFolderFiles.names, AdapterFolderFiles.card, AdapterFolderFiles.weights,
  ]
  /// What says how texts become tokens and when they end.
  static let sideFiles = [
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
    "tokenizer.model",
    "spiece.model", "sentencepiece.bpe.model", "chat_template.jinja", "chat_template.json",
  ]
  static let weights = "model.safetensors"
  static let index = "model.safetensors.index.json"

  /// - Parameters:
  ///   - ggufFile: the GGUF file that the user names; nil for none.
  /// - Throws: ``HubError`` if there is nothing that ptune reads.
  init(_ listing: RepositoryListing, of repository: String, for purpose: Purpose, ggufFile: String?)
    throws(HubError)
  {
    if let ggufFile {
      guard listing.names.contains(ggufFile) else {
        throw HubError(.missingFile(ggufFile, repository: repository, files: listing.names))
      }
      files = [ggufFile]
      return
    }
    let isAdapter = listing.has(Self.adapterConfig)
    if purpose == .adapter || (purpose == .any && isAdapter) {
      guard isAdapter else {
        throw HubError(.missingFile(Self.adapterConfig, repository: repository, files: listing.names))
      }
      guard listing.has(AdapterFolderFiles.weights) else {
        throw listing.has("adapter_model.bin")
          ? HubError(.adapterPickle(repository))
          : HubError(.missingFile("adapter_model.safetensors", repository: repository, files: listing.names))
      }
      files = Self.adapterFiles.filter(listing.has)
      return
    }
    let side = Self.sideFiles.filter(listing.has)
    if listing.has(Self.weights) {
      files = side + [Self.weights]
    } else if listing.has(Self.index) {
      files = side + [Self.index]
      hasIndex = true
    } else {
      let gguf = listing.names.filter(ModelResolver.isGGUF)
      switch gguf.count {
      case 1: files = gguf
      case 0 where listing.has("pytorch_model.bin") || listing.has("pytorch_model.bin.index.json"):
        throw HubError(.onlyPickles(repository))
      case 0: throw HubError(.nothingUsable(repository, files: listing.names))
      default: throw HubError(.severalGGUF(repository, files: gguf))
      }
    }
  }

  /// The shards that an index names, sorted. Throws ``HubError`` if it names none, or one outside the repository's top.
  static func shards(indexFile: String) throws -> [String] {
    let map = try JSONValue.read(indexFile)["weight_map"]?.objectValue
    let names = Set((map?.values ?? []).compactMap(\.stringValue)).sorted()
    // NB: names from a file become paths.
    guard !names.isEmpty, names.allSatisfy(HubCacheRepository.isFileName) else {
      throw HubError(.notAHub(url: indexFile, reason: "it does not say in which files the weights are"))
    }
    return names
  }
}
