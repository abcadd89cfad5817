import CPTune
import PTune

/// LoRA (Hu et al. 2021, section 4.1): beside each chosen linear layer of the frozen model a trained product of rank r,
/// h = W·x + α/r·B·A·x.
final class LoRA: Adapter {
  /// How A starts.
  enum Start: String, HyperparameterChoice {
    /// Uniform within ±1/√inputs, as PyTorch starts linear layers.
    case kaiming
    /// Normal with the deviation 1/r.
    case gaussian
  }

  let positions = 0
  let learningRate: Double? = 3e-3
  private let deltas: [(site: Site, a: Parameter, b: Parameter)]
  private let scale, dropout: Double

  init(
    rank: Int, alpha: Double, targets: [String], dropout: Double, rankStabilized: Bool, start: Start
  ) throws {
    deltas = try Site.matching(targets).map { site in
      let bound = 1 / Float(site.inputs).squareRoot()
      return (
        site,
        try Parameter(
          "\(site.name).lora_A.weight", shape: [rank, site.inputs],
          initial: start == .kaiming ? .uniform(-bound, bound) : .normal(deviation: 1 / Float(rank))),
        // With B at zero the first step is the base model's.
        try Parameter("\(site.name).lora_B.weight", shape: [site.outputs, rank], initial: .zeros)
      )
    }
    scale = alpha / (rankStabilized ? Double(rank).squareRoot() : Double(rank))
    self.dropout = dropout
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    for (site, a, b) in deltas {
      try injections.lowRank(a.value, b.value, at: site, scale: scale, dropout: dropout)
    }
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.lora", version: Release.version) {
    [
      .adapter(
        "lora", summary: "low-rank deltas beside the base model's linear layers",
        documentation: """
          LoRA (Hu et al. 2021, https://arxiv.org/abs/2106.09685) trains two matrices beside each target, A [r, \
          inputs] and B [outputs, r], and adds alpha/r·B·A·x to its output: r·(inputs + outputs) numbers for \
          each. B starts at zero, so training starts from the base model as it is. Texts keep all their \
          positions.

          `targets` are roles (`query`, `key`, `value`, `attention-output`, `feed-forward-in`, \
          `feed-forward-gate`, `feed-forward-out`), ends of module paths as PEFT's `target_modules` have them \
          (`q_proj`, `attention.self.query`), or `all-linear`. Queries and values are the paper's choice and \
          PEFT's. GPT-2 computes queries, keys and values by one layer, `c_attn`, which each of their roles \
          means.

          `rslora` scales by alpha/√r (Kalajdzievski 2023, https://arxiv.org/abs/2312.03732), so that a larger r \
          does not learn more slowly.
          """,
        usesSites: true,
        .integer("r", default: 8, in: 1...4096, "the rank"),
        .number("alpha", default: 8, in: 0...65536, "what deltas are multiplied by, over r"),
        .texts(
          "targets", default: ["query", "value"], "the linear layers: roles, ends of paths or all-linear"),
        .number("dropout", default: 0.0, in: 0...0.99, "dropout on the inputs of the deltas in training"),
        .flag("rslora", default: false, "scale by alpha/√r instead of alpha/r"),
        .choice("initialization", default: LoRA.Start.kaiming, "initial values of A; B starts at zero"),
        make: LoRA.init)
    ]
  }
}
