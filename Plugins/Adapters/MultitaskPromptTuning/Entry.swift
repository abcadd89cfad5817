import CPTune
import PTune
import PTunePrompts

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.multitask-prompt-tuning", version: Release.version) {
    [
      .adapter(
        "multitask-prompt-tuning", summary: "prompts of several tasks that share a pool, or one prompt",
        documentation: """
          Trains prompts for several tasks together, so that each profits from the others' data.

          `form: pool` keeps K prompts of l rows that all tasks select from; `private_entries` adds m more for \
          each task alone. The run names the `selector`, which is called with E(x) = f(W·x̄ + b) for an input x. \
          How does it know the task? With `selector: task` each task has a linear layer of its own, \
          S_t(x) = softmax(W_t·E(x) + b_t). `attention` and `top-k` know it by `task_embedding: true`, which adds \
          a trained e_t to E(x). It trains K·l·H numbers, m·l·H and H more a task, and H² + H with an encoder.

          `form: factors` is MPT (Wang et al. 2023, https://arxiv.org/abs/2303.02861) without its distillation: \
          one prompt, multiplied elementwise by a matrix of rank r that each task has for itself. It takes no \
          selector and trains l·H numbers, and r·(l + H) a task.

          What a task has for itself is named after it, so a task can be added to a trained adapter (the run \
          file's `extend`) while the others stay as they are.

          The weights of the tasks' losses are the run file's: `weight` of a task, and \
          `training.task_weighting: uncertainty` to learn them.
          """,
        .choice("form", default: MultitaskPromptTuning.Form.pool, "what tasks share: a pool, or one prompt"),
        .integer("virtual_tokens", default: 20, in: 1...4096, "rows l of a prompt"),
        .integer("pool_size", default: 10, in: 1...4096, "shared entries K of a pool"),
        .integer("private_entries", default: 0, in: 0...4096, "entries m of a pool for each task alone"),
        .flag("task_embedding", default: false, "add a trained embedding of the task to a pool's queries"),
        QueryEncoder.hyperparameter(default: .tanh),
        .integer("rank", default: 1, in: 1...4096, "rank r of the factors"),
        .choice(
          "placement", default: Placement.start, "where the rows are in the input"),
        .choice(
          "initialization", of: [PromptInitialization.sampledVocabulary, .random],
          default: PromptInitialization.sampledVocabulary, "initial values of the prompts"),
        .number("deviation", default: 0.02, in: 0...100, "standard deviation of random prompts"),
        .number("dropout", default: 0.0, in: 0...0.99, "dropout on the prompt rows in training"),
        make: MultitaskPromptTuning.init)
    ]
  }
}
