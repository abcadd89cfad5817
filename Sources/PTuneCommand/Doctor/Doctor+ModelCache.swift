import PTuneFormats

/// A folder in which downloaded models are kept, as `ptune doctor` shows it.
struct ModelFolder: Encodable {
  let path, purpose: String
  /// How many models are in it; `nil` if the folder is not there.
  let models: Int?

  /// The folders in which a model's name is looked up, in order.
  static func all(environment: [String: String]) -> [ModelFolder] {
    ModelResolver(environment: environment).caches.map { cache in
      ModelFolder(
        path: cache.path, purpose: cache.kind == .hub ? "Hugging Face cache" : "ptune's own cache",
        models: cache.modelCount)
    }
  }
}
