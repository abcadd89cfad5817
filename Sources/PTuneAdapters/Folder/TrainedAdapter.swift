import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins

/// A tuning method with its values as an adapter folder holds them: what made the virtual tokens in training is folded
/// away.
package struct TrainedAdapter {
  /// The component that has these values as its parameters.
  package let choice: ComponentChoice
  /// The values, by the parameters' names.
  let tensors: [Model.SavedTensor]
  /// What was folded away, to go on training with; nil if nothing was.
  let encoder: FoldedEncoder?

  /// A component with values from elsewhere.
  init(_ choice: ComponentChoice, _ tensors: [Model.SavedTensor]) {
    (self.choice, self.tensors, encoder) = (choice, tensors, nil)
  }

  /// The present values of an adapter of a composition.
  ///
  /// - Parameter index: which of its adapters, where several work together.
  /// - Throws: `EngineFailure` if the adapter cannot state what to save.
  package init(_ composition: Composition, _ index: Int) throws {
    let (tensors, changed) = try composition.model.exportAdapter(index)
    var choice = composition.adapters[index]
    var before: [String: HyperparameterValue] = [:]
    for (name, json) in changed {
      let value = try JSONValue.parse(json)
      guard let folded = HyperparameterValue(value) else {
        throw AdapterError.unsavable(adapter: choice.plugin, hyperparameter: name, kind: value.kind)
      }
      if let own = choice.hyperparameters[name], own != folded { before[name] = own }
      choice.hyperparameters[name] = folded
    }
    (self.choice, self.tensors) = (choice, tensors)
    encoder =
      before.isEmpty || index > 0
      ? nil : FoldedEncoder(hyperparameters: before, makes: FoldedEncoder.digest(tensors))
  }
}

/// What made an adapter's virtual tokens in training: an MLP or an LSTM, and the rows that it reads. It is not needed to
/// use the adapter, but training can go on with it.
package struct FoldedEncoder: Equatable, Sendable {
  /// The file beside the adapter's that has its tensors.
  package static let fileName = "ptune_encoder.safetensors"

  /// The adapter's hyperparameters that folding changed, as they were in training.
  package let hyperparameters: [String: HyperparameterValue]
  /// The hash of the values that it produces, since PEFT, which does not know it, may have trained them further.
  let makes: String

  /// SHA-256 of tensors' names and values.
  static func digest(_ tensors: [Model.SavedTensor]) -> String {
    digest(tensors.map { ($0.name, $0.values) })
  }

  private static func digest(_ tensors: [(name: String, values: [Float])]) -> String {
    var digest = SHA256()
    for (name, values) in tensors.sorted(by: { $0.name < $1.name }) {
      digest.update("\(name) \(values.count)\n")
      values.withUnsafeBytes { digest.update($0) }
    }
    return digest.hexadecimal()
  }

  /// Whether it still makes what an adapter's file holds.
  ///
  /// - Parameter names: the tensors of the file that are the adapter's own.
  /// - Throws: `SafetensorsError` for one that does not contain floats.
  func makesTensors(_ names: [String], of file: SafetensorsFile) throws -> Bool {
    try makes == Self.digest(names.map { ($0, try file.floats($0).array) })
  }

  /// The tensors to save: all parameters of the adapter.
  static func tensors(_ composition: Composition) -> [TensorData] {
    composition.model.parameters.filter { $0.owner == ParameterOwner.adapter }.map {
      TensorData(
        name: $0.name, shape: $0.shape,
        floats: UnsafeBufferPointer(start: $0.values, count: $0.count))
    }
  }
}
