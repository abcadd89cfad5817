import CPTune
import PTune

/// __NAME__: n trained rows r [n, hidden], each with a trained gate g, at the input of the base model:
///
///     p_i = g_i · r_i,   i = 1 … n,   g = 1 at first
///
/// Change the maths in `inject`, the hyperparameters below, and tests/parity.py.
final class __TYPE__: Adapter {
  let positions: Int
  /// For AdamW, where the run file gives none.
  let learningRate: Double? = 3e-2
  private let prompt: Parameter
  private let gates: Parameter

  init(virtualTokens: Int) throws {
    prompt = try Parameter(
      "prompt", shape: [virtualTokens, Base.facts.hiddenSize], initial: .sampledVocabulary(virtualTokens))
    gates = try Parameter("gates", shape: [virtualTokens, 1], initial: .constant(1))
    positions = virtualTokens
  }

  /// Operators are recorded, not computed; gradients follow by themselves.
  func inject(_ batch: Batch, into injections: Injections) throws {
    try injections.input(prompt.value * gates.value, at: .start)
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "org.example.__NAME__", version: "1.0.0") {
    [
      .adapter(
        "__NAME__", summary: "prompt rows at the input, each with a trained gate",
        documentation: "Trains n·hidden + n numbers: a prompt and a gate for each of its rows.",
        .integer("virtual_tokens", default: 20, in: 1...1024, "rows of the prompt"),
        make: __TYPE__.init)
    ]
  }
}
