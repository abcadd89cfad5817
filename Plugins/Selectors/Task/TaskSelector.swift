import CPTune
import PTune

/// A linear selector for each task t: S_t(x) = softmax(W_t·E(x) + b_t), with E(x) the adapter's query. Keys do not count.
final class TaskSelector: Selector {
  private let layers: [(weight: Parameter, bias: Parameter)]
  private let temperature: Double

  init(temperature: Double, deviation: Double) throws {
    let pool = try Selection.announced()
    layers = try Tasks.names.map { name in
      (
        try Parameter(
          "tasks.\(name).weight", shape: [pool.keys, pool.columns],
          initial: .normal(deviation: Float(deviation))),
        try Parameter("tasks.\(name).bias", shape: [pool.keys], initial: .zeros)
      )
    }
    self.temperature = temperature
  }

  func weights(_ batch: Batch, queries: Tensor, keys: Tensor) throws -> Tensor {
    let scores = batch.taskRanges.map { task, sequences in
      queries.rows(sequences).linear(layers[task].weight.value, bias: layers[task].bias.value)
    }
    return Tensor.concatenatingRows(scores).affine(scale: Float(1 / temperature)).softmax()
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.task", version: Release.version) {
    [
      .selector(
        "task", summary: "a linear layer for each task: the task decides which entries count",
        documentation: """
          Weighs the entries of a pool by a linear layer that each task has for itself: \
          S_t(x) = softmax((W_t·E(x) + b_t)/τ), where E(x) is the adapter's query for the input x and t its task. \
          It trains K·(d + 1) numbers a task for K entries and queries of d numbers.

          Keys do not take part, so an adapter's key losses find nothing to do. In a run with one task it is a \
          selector without keys. When a task is added to a trained adapter, the others keep their layers.
          """,
        .number("temperature", default: 1.0, in: 1e-4...1e4, "temperature τ of the softmax"),
        .number("deviation", default: 0.02, in: 0...100, "standard deviation of the first W_t"),
        make: TaskSelector.init)
    ]
  }
}
