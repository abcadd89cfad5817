import PTune
import PTuneLayers
import PTuneLibc

extension Rotation {
  /// The rotation that config.json describes for heads of this size, with the scalings of transformers: `default`,
  /// `linear`, `dynamic`, `llama3` and `yarn`, under `rope_parameters`, or `rope_scaling` and `rope_theta` in older files.
  ///
  /// - Throws: `ComponentFailure` naming the key of a setting that is not supported.
  init(headSize: Int, positions: Int) throws {
    // Room is made for each pair of columns before the weights can show that there are fewer.
    guard headSize <= 1 << 16 else {
      throw ComponentFailure.badArgument("config.json: head_dim \(headSize) is more than \(1 << 16)")
    }
    let settings = RotarySettings()
    let share = try settings.number("partial_rotary_factor") ?? 1
    guard share == 1 else { throw settings.refusal("partial_rotary_factor", "\(share)", known: "1") }
    let theta = try settings.number("rope_theta") ?? 10_000
    guard theta > 1 else { throw settings.refusal("rope_theta", "\(theta)", known: "numbers above 1") }
    let plain = stride(from: 0, to: headSize, by: 2).map { pow(theta, -Double($0) / Double(headSize)) }
    let type = try settings.type()
    switch type {
    // NB: `dynamic` stretches what is longer than max_position_embeddings, where every text here has to end.
    case "default", "dynamic": self.init(frequencies: plain.map { Float($0) })
    case "linear":
      let factor = try settings.factor()
      self.init(frequencies: plain.map { Float($0 / factor) })
    case "llama3":
      let scaled = try Self.llama3(plain, settings, positions)
      self.init(frequencies: scaled.map { Float($0) })
    case "yarn":
      let (scaled, attention) = try Self.yarn(plain, settings, positions, theta: theta, headSize: headSize)
      self.init(frequencies: scaled.map { Float($0) }, scale: Float(attention))
    default: throw settings.refusal("rope_type", type, known: "default, linear, dynamic, llama3, yarn")
    }
  }

  /// Llama 3.1's: long wavelengths are stretched by the factor, short ones stay, those between are blended.
  private static func llama3(
    _ plain: [Double], _ settings: RotarySettings, _ positions: Int
  ) throws -> [Double] {
    let factor = try settings.factor()
    let low = try settings.required("low_freq_factor")
    let high = try settings.required("high_freq_factor")
    let length = try settings.number("original_max_position_embeddings") ?? Double(positions)
    return plain.map { frequency in
      let turns = length * frequency / (2 * .pi)
      if turns < low { return frequency / factor }
      if turns > high { return frequency }
      let share = (turns - low) / (high - low)
      return (1 - share) * frequency / factor + share * frequency
    }
  }

  /// YaRN (Peng et al. 2023, https://arxiv.org/abs/2309.00071, section 3.2 and 3.3).
  private static func yarn(
    _ plain: [Double], _ settings: RotarySettings, _ positions: Int, theta: Double, headSize: Int
  ) throws -> (frequencies: [Double], attention: Double) {
    let length = try settings.number("original_max_position_embeddings") ?? Double(positions)
    let factor = try settings.number("factor") ?? Double(positions) / length
    // The column whose pair turns so often within the original length.
    func column(turns: Double) -> Double {
      Double(headSize) * log(length / (turns * 2 * .pi)) / (2 * log(theta))
    }
    var low = column(turns: try settings.number("beta_fast") ?? 32)
    var high = column(turns: try settings.number("beta_slow") ?? 1)
    if try settings.flag("truncate") ?? true { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    low = max(low, 0)
    high = min(high, Double(headSize - 1))
    if low == high { high += 0.001 }
    let scaled = plain.enumerated().map { index, frequency in
      let stretched = min(1, max(0, (Double(index) - low) / (high - low)))
      return stretched * frequency / factor + (1 - stretched) * frequency
    }
    func magnitude(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1 }
    let weights = (try settings.number("mscale") ?? 0, try settings.number("mscale_all_dim") ?? 0)
    let inferred =
      weights.0 != 0 && weights.1 != 0 ? magnitude(weights.0) / magnitude(weights.1) : magnitude(1)
    return (scaled, try settings.number("attention_factor") ?? inferred)
  }
}

/// The keys of config.json about rotary positions. transformers 5 keeps all in `rope_parameters`; before, there were
/// `rope_scaling` and, beside it, `rope_theta`.
private struct RotarySettings {
  private static let groups = ["rope_scaling.", "rope_parameters.", ""]

  /// A number; nil where no group has it.
  func number(_ name: String) throws -> Double? {
    for group in Self.groups {
      let value = try Checkpoint.number(group + name, default: .nan)
      if !value.isNaN { return value }
    }
    return nil
  }

  func required(_ name: String) throws -> Double {
    guard let value = try number(name) else {
      throw ComponentFailure.badArgument(
        "config.json: rope_parameters has no \(name), which its rope_type needs")
    }
    return value
  }

  func factor() throws -> Double {
    let factor = try required("factor")
    guard factor >= 1 else { throw refusal("factor", "\(factor)", known: "numbers from 1 on") }
    return factor
  }

  func flag(_ name: String) throws -> Bool? {
    for group in Self.groups {
      // A boolean has no value that stands for an absent one: ask with both.
      let value = try Checkpoint.boolean(group + name, default: true)
      if try value == Checkpoint.boolean(group + name, default: false) { return value }
    }
    return nil
  }

  func type() throws -> String {
    for group in Self.groups.dropLast() {
      for name in ["rope_type", "type"] {
        let value = try Checkpoint.string(group + name, default: "")
        if !value.isEmpty { return value }
      }
    }
    return "default"
  }

  func refusal(_ name: String, _ value: String, known: String) -> ComponentFailure {
    .unsupported(
      "config.json: \(name) of the rotary positions is \(value), which is not supported; known: \(known)")
  }
}
