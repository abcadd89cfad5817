import CPTune
import PTune
import PTunePrompts

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.prompt-pool", version: Release.version) {
    [
      .adapter(
        "prompt-pool", summary: "a pool of prompts from which each input gets its own mixture",
        documentation: """
          Trains a pool of K prompts of l rows. For each sequence a query E(x) = f(W·x̄ + b) is made from the \
          mean x̄ of its frozen word embeddings, special tokens such as [CLS] included; the run's selector \
          weighs the pool by it, and the mixture Σ αᵢ pᵢ stands among the sequence's word embeddings. It \
          trains K·l·H numbers, K·H more with `keys: learned`, and H² + H more with an encoder.

          Give the run a `selector`: `attention` for a soft mixture of all entries, `top-k` for L2P's choice \
          (Wang et al. 2022, https://arxiv.org/abs/2112.08654), together with `keys: learned`, \
          `encoder: none`, `combine: concatenation`, `chosen: 5` and a `pull` of about 0.1. With concatenation a \
          sequence gets chosen·l rows, in the order of the pool; weights only choose, so that keys and encoder learn \
          by `pull` alone.

          `at: layers` gives each layer rows of its own, K·l·L·H numbers, which join its input for keys and \
          values only and take no position. Tied keys are then the means of the lowest layer's rows. Rows that \
          start as `sampled-vocabulary` start as what the layers are given when the base model reads l \
          frequent words, other ones for each entry.

          `pull` adds pull·Σ αᵢ(1 - cos(E(x), kᵢ)) to the loss, the mean over the sequences, with α held \
          constant: it draws keys to the queries that choose them. L2P's own term, a sum over its k chosen \
          keys, is k times that under equal weights.

          With `placement: template` the mixture stands where the task's template has `{prompt}`; the query's mean \
          then includes the template's own words.

          `diversity` adds diversity times the mean squared cosine between the means of two different entries, \
          which keeps entries apart. Where few entries are ever chosen, `frequency_penalty` of `top-k` helps too; \
          the statistics in the run's folder show which ones are.

          W starts as the identity matrix and b as zero, so queries start as f(x̄). The learning rate is 1e-2 by \
          default.
          """,
        asksSelector: true,
        .integer("pool_size", default: 10, in: 1...4096, "number of entries K"),
        .integer("virtual_tokens", default: 20, in: 1...4096, "rows l of an entry"),
        .choice(
          "at", default: PromptPool.Site.input,
          "where the rows go: among the word embeddings, or into each layer's input for its keys and values"),
        .choice(
          "combine", default: PromptPool.Combination.mixture,
          "what a sequence gets: the weighted sum of the entries, or those with a weight one after the other"),
        .integer(
          "chosen", default: 5, in: 1...4096,
          "with combine: concatenation, how many entries a sequence gets: the k of the selector top-k"),
        .choice(
          "keys", default: PromptPool.Keys.tied,
          "what queries are compared to: the mean of an entry's rows, or a trained row per entry"),
        QueryEncoder.hyperparameter(default: .tanh),
        .number("pull", default: 0.0, in: 0...100, "weight of the pull loss"),
        .number("diversity", default: 0.0, in: 0...100, "weight of the diversity loss"),
        .choice(
          "placement", default: Placement.start, "with at: input, where the rows are"),
        .choice(
          "initialization", of: [PromptInitialization.sampledVocabulary, .random],
          default: PromptInitialization.sampledVocabulary, "initial values of the pool's rows"),
        .number(
          "deviation", default: 0.02, in: 0...100, "standard deviation of random rows and of learned keys"),
        .number("dropout", default: 0.0, in: 0...0.99, "dropout on a sequence's rows in training"),
        make: PromptPool.init)
    ]
  }
}
