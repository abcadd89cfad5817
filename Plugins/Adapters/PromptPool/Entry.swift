import CPTune
import PTune

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.prompt-pool", version: "0.1.0") {
    [
      .adapter(
        "prompt-pool", summary: "a pool of prompts of which each input gets its own mixture",
        documentation: """
          Trains a pool of K prompts of l rows. For each sequence a query E(x) = f(W·x̄ + b) is made from the \
          mean x̄ of its frozen word embeddings, special tokens such as [CLS] included; the run's selector \
          weighs the pool by it, and the mixture Σ αᵢ pᵢ stands among the sequence's word embeddings. It \
          trains K·l·H numbers, K·H more with `keys: learned`, and H² + H more with an encoder.

          Give the run a `selector`: `attention` for a soft mixture of all entries, `top-k` for L2P's choice \
          (Wang et al. 2022, https://arxiv.org/abs/2112.08654), together with `keys: learned`, \
          `encoder: none` and a `pull` of about 0.1.

          `pull` adds pull·Σ αᵢ(1 - cos(E(x), kᵢ)) to the loss, the mean over the sequences, with α held \
          constant: it draws keys to the queries that choose them. L2P's own term, a sum over its k chosen \
          keys, is k times that under equal weights.

          With `placement: template` the mixture stands where the task's template has `{prompt}`; the query's mean \
          then includes the template's own words.

          W starts as the identity matrix and b as zero, so queries start as f(x̄).
          """,
        learningRate: 1e-2, asksSelector: true,
        .integer("pool_size", default: 10, in: 1...4096, "number of entries K"),
        .integer("virtual_tokens", default: 20, in: 1...4096, "rows l of an entry: what a sequence gets"),
        .choice(
          "keys", of: ["tied", "learned"], default: "tied",
          "what queries are compared to: the mean of an entry's rows, or a trained row per entry"),
        QueryEncoder.hyperparameter(default: "tanh"),
        .number("pull", default: 0.0, in: 0...100, "weight of the pull loss"),
        .choice(
          "placement", of: Placement.allCases.map(\.name), default: "start",
          "where the rows stand in the input"),
        .choice(
          "initialization", of: ["sampled-vocabulary", "random"], default: "sampled-vocabulary",
          "what the rows of the pool start as"),
        .number(
          "deviation", default: 0.02, in: 0...100, "standard deviation of random rows and of learned keys"),
        .number("dropout", default: 0.0, in: 0...0.99, "dropout on the mixed rows in training"),
        make: PromptPool.init)
    ]
  }
}
