import CPTune
import PTune

/// (IA)³ (Liu et al. 2022, section 3.3): trained factors that keys, values and the inner activations of the
/// feed-forward networks are multiplied by.
final class IA3: Adapter {
  let positions = 0
  let learningRate: Double? = 1e-2
  private let factors: [(site: Site, scalesInputs: Bool, values: Parameter)]

  init(targets: [String], feedForward: [String]) throws {
    let sites = try Site.matching(targets)
    let inner = try Site.matching(feedForward)
    if let other = inner.first(where: { !sites.contains($0) }) {
      throw ComponentFailure.badArgument(
        "'feed_forward' means the layer \(other.name), which 'targets' does not; name it in both")
    }
    factors = try sites.map { site in
      let scalesInputs = inner.contains(site)
      // With ones training starts from the base model as it is.
      let values = try Parameter(
        "\(site.name).ia3_l", shape: scalesInputs ? [1, site.inputs] : [site.outputs, 1],
        initial: .constant(1))
      return (site, scalesInputs, values)
    }
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    for (site, scalesInputs, values) in factors {
      if scalesInputs {
        try injections.scale(inputsOf: site, by: values.value)
      } else {
        try injections.scale(outputsOf: site, by: values.value.reshaped(rows: 1, columns: site.outputs))
      }
    }
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.ia3", version: Release.version) {
    [
      .adapter(
        "ia3", summary: "factors on keys, values and the feed-forward networks' inner rows",
        documentation: """
          (IA)³ (Liu et al. 2022, https://arxiv.org/abs/2205.05638) trains a factor for each column of every \
          layer's keys and values, and of what its feed-forward network computes inside: with H hidden and F inner \
          columns 2·H + F numbers a layer. All start at 1, so training starts from the base model as it is. \
          Texts keep all their positions.

          `targets` are roles (`query`, `key`, `value`, `attention-output`, `feed-forward-in`, \
          `feed-forward-gate`, `feed-forward-out`), ends of module paths as PEFT's `target_modules` have them \
          (`k_proj`, `output.dense`), or `all-linear`. Their outputs are scaled; of those that `feed_forward` \
          means too the inputs are. GPT-2 computes queries, keys and values by one layer, `c_attn`, which each of \
          their roles means.
          """,
        usesSites: true,
        .texts(
          "targets", default: ["key", "value", "feed-forward-out"],
          "the linear layers: roles, ends of paths or all-linear"),
        .texts(
          "feed_forward", default: ["feed-forward-out"], "those of the targets whose inputs are scaled"),
        make: IA3.init)
    ]
  }
}
