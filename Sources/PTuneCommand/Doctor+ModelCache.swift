#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A folder in which downloaded models are kept.
struct ModelFolder: Encodable {
  let path, purpose: String
  /// How many models are in it; `nil` if the folder is not there.
  let models: Int?

  /// The Hugging Face cache, found as huggingface_hub finds it, and ptune's own.
  static func all(environment: [String: String]) -> [ModelFolder] {
    func value(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : expanded($0, environment) }
    }
    let home = environment["HOME"] ?? ""
    let caches = value("XDG_CACHE_HOME") ?? home + "/.cache"
    let hub =
      value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE")
      ?? (value("HF_HOME") ?? caches + "/huggingface") + "/hub"
    return [
      ModelFolder(path: hub, purpose: "Hugging Face cache") { $0.hasPrefix("models--") },
      ModelFolder(path: caches + "/ptune", purpose: "ptune's own cache") { !$0.hasPrefix(".") },
    ]
  }

  private init(path: String, purpose: String, isModel: (String) -> Bool) {
    self.path = path
    self.purpose = purpose
    models = (try? FileManager.default.contentsOfDirectory(atPath: path))?.count(where: isModel)
  }

  private static func expanded(_ path: String, _ environment: [String: String]) -> String {
    path.hasPrefix("~/") ? (environment["HOME"] ?? "") + path.dropFirst(1) : path
  }
}
