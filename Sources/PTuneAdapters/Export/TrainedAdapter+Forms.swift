import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins

extension TrainedAdapter {
  private static let rows = "prompt_embeddings"

  private func has(_ name: String, _ value: String) -> Bool {
    choice.hyperparameters[name] == .string(value)
  }

  /// A prefix in hidden form, at all layers, as keys and values, which compute the same: K = W_k·x + b and V = W_v·x + b of
  /// the frozen layers, keys turned where the model turns them. Anything else as it is.
  ///
  /// - Parameter composition: has this adapter.
  /// - Throws: `EngineFailure`.
  func inKeyValueForm(_ composition: Composition) throws -> TrainedAdapter {
    guard ["prefix-tuning", "p-tuning-v2"].contains(choice.plugin), has("form", "hidden"),
      let layers = try composition.model.keysAndValuesOfPrefixes(),
      case .int(let count)? =
        choice.hyperparameters["virtual_tokens"]
    else { return self }
    let width = layers[0].keys.count / count
    var values: [Float] = []
    for token in 0..<count {
      let row = token * width..<(token + 1) * width
      for layer in layers {
        values += layer.keys[row]
        values += layer.values[row]
      }
    }
    var choice = choice
    choice.hyperparameters["form"] = .string("key-value")
    choice.hyperparameters["initialization"] = .string("random")
    return TrainedAdapter(
      choice,
      [.init(name: Self.rows, shape: [count, 2 * layers.count * width], values: values)])
  }

  /// A prompt that does not depend on the text: entries of a pool, or what a task makes of the prompt that tasks share.
  ///
  /// - Parameters:
  ///   - entries: numbers of a pool's entries from 0; nil for an adapter without a pool.
  ///   - task: the task it is for.
  /// - Throws: ``FixedPromptError`` for what has no such prompt.
  func fixed(entries: [Int]?, task: ComposedTask) throws(FixedPromptError) -> TrainedAdapter {
    func tensor(_ name: String) -> Model.SavedTensor? { tensors.first { $0.name == name } }
    guard case .int(let length)? = choice.hyperparameters["virtual_tokens"] else { return self }
    switch choice.plugin {
    case "prompt-pool", "multitask-prompt-tuning":
      if let pool = tensor("pool") {
        guard let entries else {
          throw .dependsOnText
        }
        return try chosen(entries, from: pool, own: tensor(ParameterOwner.task(task.name) + "pool"), length)
      }
      if let shared = tensor(Self.rows), let columns = tensor(ParameterOwner.task(task.name) + "columns"),
        let rows = tensor(ParameterOwner.task(task.name) + "rows"), entries == nil
      {
        let (rank, width) = (rows.shape[0], rows.shape[1])
        let values = shared.values.indices.map { index in
          let (token, column) = (index / width, index % width)
          let factor = (0..<rank).reduce(Float(0)) {
            $0 + columns.values[token * rank + $1] * rows.values[$1 * width + column]
          }
          return shared.values[index] * factor
        }
        return prompt([.init(name: Self.rows, shape: shared.shape, values: values)], length)
      }
    default: break
    }
    guard entries == nil else {
      throw .noPool(adapter: choice.plugin)
    }
    return self
  }

  private func chosen(
    _ entries: [Int], from pool: Model.SavedTensor, own: Model.SavedTensor?, _ length: Int
  ) throws(FixedPromptError) -> TrainedAdapter {
    guard !has("at", "layers") else {
      throw .atLayers
    }
    let all = pool.values + (own?.values ?? [])
    let width = pool.shape[1]
    let count = all.count / (length * width)
    if let wrong = entries.first(where: { !(0..<count).contains($0) }) {
      throw .noEntry(wrong, count: count)
    }
    guard entries.count == 1 || has("combine", "concatenation") else {
      throw .isMixed
    }
    let size = length * width
    return prompt(
      [
        .init(
          name: Self.rows, shape: [entries.count * length, width],
          values: entries.flatMap { all[$0 * size..<($0 + 1) * size] })
      ], entries.count * length)
  }

  private func prompt(_ tensors: [Model.SavedTensor], _ count: Int) -> TrainedAdapter {
    TrainedAdapter(
      ComponentChoice(
        plugin: "prompt-tuning",
        hyperparameters: [
          "virtual_tokens": .int(count), "placement": choice.hyperparameters["placement"] ?? .string("start"),
          "initialization": .string("random"),
        ]), tensors)
  }

  /// The rows of each entry of its pool, `[entries][rows][columns]`, those that are a task's own behind the shared ones;
  /// nil without a pool.
  func poolEntries(task: String) -> [[[Float]]]? {
    guard let pool = tensors.first(where: { $0.name == "pool" }), pool.shape.count == 2,
      case .int(let length)? = choice.hyperparameters["virtual_tokens"], length > 0
    else { return nil }
    let own = tensors.first { $0.name == ParameterOwner.task(task) + "pool" }
    let (all, width) = (pool.values + (own?.values ?? []), pool.shape[1])
    return stride(from: 0, to: all.count / width, by: length).map { first in
      (first..<first + length).map { Array(all[$0 * width..<($0 + 1) * width]) }
    }
  }
}
