import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTunePlugins
import PTuneRunFile

extension RunSpec {
  /// The components that the run uses, by kind and name, those of an adapter that it extends among them.
  ///
  /// - Parameter resolver: finds the model, whose config.json names the base model's plugin where the run does not.
  /// - Throws: what is wrong with the model, or with the adapter.
  public func components(resolver: ModelResolver) throws -> [(kind: ComponentKind, name: String)] {
    let extended = try extend.map {
      try OpenedAdapter($0.value, baseModel: base.model.value, resolver: resolver) { _, _ in }.folder
    }
    return [(.baseModel, try extended?.blueprint.base?.plugin ?? base.plugin?.value ?? modelType(resolver))]
      + adapters.map { (.adapter, $0.plugin.value) }
      + (selector.map { [(.selector, $0.plugin.value)] } ?? [])
      + tasks.map { (.taskHead, $0.head.plugin.value) }
      + (extended?.components ?? [])
  }

  private func modelType(_ resolver: ModelResolver) throws -> String {
    let config = try ModelCheckpoint(folder: try resolver.resolve(base.model.value).folder).config
    guard let type = config.baseModelName else { throw CompositionError.noModelType(config: config.path) }
    return type
  }
}

extension AdapterFolder {
  /// What it consists of, but for the base model.
  fileprivate var components: [(kind: ComponentKind, name: String)] {
    adapters.map { (.adapter, $0.plugin) } + (selector.map { [(.selector, $0.plugin)] } ?? [])
      + tasks.map { (.taskHead, $0.head.plugin) }
  }
}
