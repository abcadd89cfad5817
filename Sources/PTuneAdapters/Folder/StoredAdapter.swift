import PTuneComposition
import PTuneFormats

/// What the config of an adapter folder says, before its base model is looked for.
struct StoredAdapter {
  /// The folder.
  let path: String
  /// What adapter_config.json holds.
  let document: JSONValue
  /// Whether its tensors are as PEFT has them.
  let isPEFT: Bool
  /// What ptune says of it; nil for what PEFT wrote alone.
  let own: AdapterFolder?
  /// PEFT's keys.
  let peft: PEFTConfig

  /// Reads an adapter's config.
  ///
  /// - Parameter path: the folder, or a name in the Hugging Face cache.
  /// - Throws: ``AdapterError`` for what is no adapter, or one that ptune cannot use; `JSONError` or `FileError`.
  init(_ path: String, resolver: ModelResolver) throws {
    let path = try resolver.adapterFolder(path) ?? path
    try AtomicFolder.recover(path)
    let config = FilePath.join(path, AdapterFolder.configName)
    guard FileSystem.isFile(config) else {
      let reason =
        FileSystem.exists(path)
        ? "it has no \(AdapterFolder.configName)\(Self.within(path))"
        : HubName(path) == nil
          ? "there is no such folder" : "there is no such folder, and no such name in the cache"
      throw AdapterError.notAnAdapter(folder: path, reason: reason)
    }
    let document = try JSONValue.read(config)
    // ptune's own layout has its own key, whatever else there is.
    isPEFT = document["ptune"] == nil && document["peft_type"] != nil
    own =
      isPEFT && AdapterConfigReader.own(document) == nil
      ? nil : try AdapterConfigReader(folder: path, config: document).adapter()
    peft = PEFTConfig(folder: path, document)
    if isPEFT { _ = try (peft.method(), peft.taskType()) }
    (self.path, self.document) = (path, document)
  }

  /// The base model as the adapter names it, with its `revision`; nil if it does not.
  ///
  /// - Throws: ``AdapterError/notAnAdapter(folder:reason:)`` for what is no name.
  func modelName() throws(AdapterError) -> String? {
    if let own { return own.modelName }
    guard let name = try peft.text("base_model_name_or_path") else { return nil }
    // A folder has no revisions, and transformers passes over the key there.
    guard let revision = try peft.text("revision"), !FileSystem.exists(name), let hub = HubName(name) else {
      return name
    }
    if let named = hub.revision, named != revision {
      throw .notAnAdapter(
        folder: path,
        reason:
          "\(AdapterFolder.configName) names the base model '\(name)', but has '\(revision)' as 'revision'")
    }
    let whole = "\(hub.repository)@\(revision)"
    guard HubName(whole) != nil else {
      throw .notAnAdapter(
        folder: path, reason: "\(AdapterFolder.configName) has '\(revision)' as 'revision', which is none")
    }
    return whole
  }

  /// What to say of adapters in the subfolders of a folder that is none.
  private static func within(_ path: String) -> String {
    let names = ((try? FileSystem.entries(of: path)) ?? []).sorted().filter {
      FileSystem.isFile(FilePath.join(FilePath.join(path, $0), AdapterFolder.configName))
    }
    return switch names.count {
    case 0: ""
    case 1: "; its folder \(names[0]) has one, so name that"
    default: "; its folders \(names.joined(separator: ", ")) have one, so name one of these"
    }
  }
}
