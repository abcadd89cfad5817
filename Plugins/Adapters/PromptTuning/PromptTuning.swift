import CPTune
import PTune
import PTunePrompts

/// Prompt tuning (Lester, Al-Rfou & Constant 2021, section 2): P trained rows `[P, H]` among the word embeddings
/// of every input; everything else is frozen.
final class PromptTuning: Adapter {
  let positions: Int
  let learningRate: Double? = 3e-2
  private let prompt: Parameter
  private let placement: Placement
  private let dropout: Double

  init(
    virtualTokens: Int, placement: Placement, initialization: PromptInitialization, initialText: String,
    deviation: Double, dropout: Double
  ) throws {
    prompt = try Parameter(
      "prompt_embeddings", shape: [virtualTokens, Base.facts.hiddenSize],
      initial: try .inputRows(
        initialization, count: virtualTokens, text: initialText, deviation: deviation))
    positions = virtualTokens
    self.placement = placement
    self.dropout = dropout
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    try injections.input(prompt.value.dropout(dropout), at: placement)
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.prompt-tuning", version: Release.version) {
    [
      .adapter(
        "prompt-tuning", summary: "trained rows among the word embeddings of the input",
        documentation: """
          Prompt tuning (Lester et al. 2021, https://arxiv.org/abs/2104.08691) trains P rows of the hidden size \
          that are inserted among the word embeddings of every input: P·H numbers. The base model sees them as it \
          sees words.

          `placement` decides where they stand. `start` is before everything, as in PEFT; `after-first` keeps \
          a leading [CLS] at position 0, where an encoder expects it; `template` is wherever the task's \
          template has `{prompt}`. In a causal model, no token sees what follows it, so `end` is refused.

          The rows start as random numbers, as embeddings of words that are frequent in the training data, of \
          a text, or of the tasks' labels: one row each, the mean of its tokens, and sampled words for the rest \
          (Lester et al. 2021, section 3.2).

          A prompt that starts as embeddings of words learns faster than a random one; labels did as well as \
          sampled words on the demo's data. The learning rate is far above fine-tuning's: 3e-2 by default, and \
          0.3 was too much for AdamW. The paper's own 0.3 is for `optimizer: adafactor`.
          """,
        .integer("virtual_tokens", default: 20, in: 1...4096, "number of trained rows P"),
        .choice(
          "placement", default: Placement.start, "where the rows are in the input"),
        .choice(
          "initialization", default: PromptInitialization.sampledVocabulary, "initial values of the rows"),
        .text(
          "initial_text", default: "",
          "with initialization: text, the text whose embeddings are the initial values"),
        .number(
          "deviation", default: 0.02, in: 0...100, "with initialization: random, the standard deviation"),
        .number("dropout", default: 0.0, in: 0...0.99, "dropout on the rows in training"),
        make: PromptTuning.init)
    ]
  }
}
