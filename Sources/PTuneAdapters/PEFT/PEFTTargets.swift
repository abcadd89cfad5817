import PTuneFormats

/// Which modules PEFT attaches an adapter to, by `target_modules` and the keys that narrow it. ptune goes by the tensors in
/// the file; those of another module PEFT would pass over.
struct PEFTTargets {
  private enum Names {
    case all
    case pattern(String)
    case list([String])
  }

  private let config: PEFTConfig
  private let targets: Names
  private let excluded: Names?
  private let layers: Set<Int>?
  private let layerPatterns: [String]

  /// Nil for a method that attaches to nothing, and where PEFT chooses the modules by the kind of model.
  ///
  /// - Throws: ``PEFTError/unsupported(folder:reason:help:)`` for a value that no such key has.
  init?(_ config: PEFTConfig, _ method: PEFTMethod) throws(PEFTError) {
    guard method.attaches, let targets = try Self.names(config, "target_modules") else { return nil }
    self.config = config
    self.targets = targets
    excluded = try Self.names(config, "exclude_modules")
    switch config.value("layers_to_transform") {
    case nil: layers = nil
    case .int(let layer)?: layers = [layer]
    case let value?:
      guard let numbers = value.arrayValue?.map(\.intValue), !numbers.contains(nil) else {
        throw Self.wrong(config, "layers_to_transform", value)
      }
      layers = numbers.isEmpty ? nil : Set(numbers.compactMap { $0 })
    }
    switch config.value("layers_pattern") {
    case nil: layerPatterns = []
    case .string(let pattern)?: layerPatterns = pattern.isEmpty ? [] : [pattern]
    case let value?:
      guard let patterns = value.arrayValue?.map(\.stringValue), !patterns.contains(nil) else {
        throw Self.wrong(config, "layers_pattern", value)
      }
      layerPatterns = patterns.compactMap { $0 }
    }
  }

  private static func names(_ config: PEFTConfig, _ key: String) throws(PEFTError) -> Names? {
    switch config.value(key) {
    case nil: return nil
    case .string("all-linear")?: return .all
    case .string(let pattern)?: return pattern.isEmpty ? nil : .pattern(pattern)
    case let value?:
      guard let names = value.arrayValue?.map(\.stringValue), !names.contains(nil) else {
        throw wrong(config, key, value)
      }
      return names.isEmpty ? nil : .list(names.compactMap { $0 })
    }
  }

  private static func wrong(_ config: PEFTConfig, _ key: String, _ value: JSONValue) -> PEFTError {
    .unsupported(folder: config.folder, reason: "'\(key)' is \(value.kind), which says no modules")
  }

  /// Compares the keys with the modules that have tensors.
  ///
  /// - Throws: ``PEFTError/unsupported(folder:reason:help:)`` naming a module that PEFT would pass over.
  func check(_ file: SafetensorsFile) throws(PEFTError) {
    let prefix = PEFTMethod.attachedPrefix
    let attached = file.names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.utf8.count)) }
    for module in PEFTSites.layers(attached) {
      guard let key = try excludes(module) else { continue }
      throw .unsupported(
        folder: config.folder,
        reason: "its file has tensors for \(module), which '\(key)' leaves out",
        help: "correct the key in \(AdapterFolder.configName), or remove the tensors")
    }
  }

  /// The key that keeps PEFT from attaching to a module; nil if it does attach.
  private func excludes(_ module: String) throws(PEFTError) -> String? {
    if let excluded, try matches(module, excluded) { return "exclude_modules" }
    guard try matches(module, targets) else { return "target_modules" }
    guard let layers, case .list(let names) = targets, !names.contains(module) else { return nil }
    return number(of: module).map(layers.contains) ?? false ? nil : "layers_to_transform"
  }

  private func matches(_ module: String, _ names: Names) throws(PEFTError) -> Bool {
    switch names {
    case .all: return true
    case .list(let names): return names.contains { module == $0 || module.hasSuffix(".\($0)") }
    case .pattern(let pattern):
      do {
        return try Regex(pattern).wholeMatch(in: module) != nil
      } catch {
        throw .unsupported(
          folder: config.folder, reason: "the regular expression '\(pattern)' of its modules cannot be read")
      }
    }
  }

  /// The layer that a module belongs to: the first number in its path, behind one of the patterns if there are some.
  private func number(of module: String) -> Int? {
    let parts = module.split(separator: ".").map(String.init)
    return parts.indices.dropFirst().lazy.filter { $0 < parts.count - 1 }.compactMap { index -> Int? in
      guard let number = Int(parts[index]) else { return nil }
      return layerPatterns.isEmpty || layerPatterns.contains(parts[index - 1]) ? number : nil
    }.first
  }
}
