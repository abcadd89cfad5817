import PTune
import PTuneEngine
import PTunePlugins
import PTuneText

extension ComponentFactory {
  /// Loads the base model's component: the one that is chosen, else the one that the checkpoint's config.json asks for.
  ///
  /// - Throws: `UnknownComponentError`, `HyperparameterError`, `Rejection` or ``CompositionError``.
  package func loadBase(
    _ chosen: CheckedComponent?, of checkpoint: ModelCheckpoint
  ) throws -> PreparedComponent {
    if let chosen { return try load(chosen) }
    let config = checkpoint.config
    guard let type = config.modelType, let name = config.baseModelName else {
      throw CompositionError.noModelType(config: config.path)
    }
    do {
      return try load(.baseModel, ComponentChoice(plugin: name))
    } catch let error as UnknownComponentError where error.changed == nil && error.lock == nil {
      throw CompositionError.unknownModelType(config: config.path, type: type, known: error.known)
    }
  }

  /// Creates the base model of a model.
  ///
  /// - Throws: ``CompositionError`` where the model's files do not suit the plugin or the tokenizer.
  package func setBase(
    of model: Model, _ base: PreparedComponent, _ checkpoint: ModelCheckpoint, _ tokenizer: any Tokenizer,
    folder: String, counts: TokenCounts
  ) throws {
    do {
      try model.setBase(
        identity(base, owner: ParameterOwner.base), checkpoint: checkpoint,
        tokenize: { tokenizer.pieces($0).map(\.id) },
        frequentTokens: { [weak model] limit in
          counts.mostFrequent(limit, tokenizer: tokenizer, below: model?.facts?.vocabularySize)
        },
        specialToken: { tokenizer.specialTokens[$0] }
      ) { try baseModel(base, $0) }
    } catch let failure as EngineFailure {
      let known = registry.inventory.components.filter { $0.kind == .baseModel }.map(\.name)
      throw CompositionError.base(
        folder: folder, component: failure.component, reason: failure.reason,
        otherType: checkpoint.config.baseModelName.flatMap {
          $0 == base.choice.plugin ? nil : OtherModelType(type: $0, chosen: base.choice.plugin, known: known)
        })
    }
  }
}
