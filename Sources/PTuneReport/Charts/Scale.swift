import PTuneLibc
import PTuneTerminal

/// Turns values into places along an axis.
struct Scale: Equatable {
  let lowest, highest: Double
  let isLogarithmic: Bool
  /// Places of both ends.
  var range: ClosedRange<Double>
  /// Whether larger values are at smaller places, as on a vertical axis.
  let isInverted: Bool
  /// Round values to mark.
  let ticks: [Double]

  /// A scale over some values, widened to round ends.
  ///
  /// - Parameters:
  ///   - logarithmic: only where all values are above 0.
  ///   - ticks: about how many marks there should be.
  init(
    _ values: some Sequence<Double>, range: ClosedRange<Double>, isInverted: Bool = false,
    logarithmic: Bool = false, tight: Bool = false, ticks count: Int = 5
  ) {
    self.range = range
    self.isInverted = isInverted
    var (low, high) = (Double.infinity, -Double.infinity)
    for value in values where value.isFinite {
      low = min(low, value)
      high = max(high, value)
    }
    if low > high { (low, high) = (0, 1) }
    isLogarithmic = logarithmic && low > 0
    if isLogarithmic {
      let (first, last) = (log10(low).rounded(.down), log10(high).rounded(.up))
      (lowest, highest) = (pow(10, first), pow(10, max(last, first + 1)))
      let step = max(1, ((max(last, first + 1) - first) / Double(count)).rounded(.up))
      ticks = stride(from: first, through: max(last, first + 1), by: step).map { pow(10, $0) }
      return
    }
    if low == high {
      let pad = max(abs(low) * 0.05, 1e-3)
      (low, high) = (low - pad, high + pad)
    }
    let step = Self.niceStep((high - low) / Double(count))
    let (first, last) = ((low / step + 1e-9).rounded(.down), (high / step - 1e-9).rounded(.up))
    let marks = stride(from: first, through: last, by: 1).map { $0 * step }
    (lowest, highest) = tight ? (low, high) : (first * step, last * step)
    ticks = tight ? marks.filter { $0 >= low - step * 1e-6 && $0 <= high + step * 1e-6 } : marks
  }

  /// 1, 2 or 5 times a power of ten, at least this.
  private static func niceStep(_ rough: Double) -> Double {
    let power = pow(10, log10(rough).rounded(.down))
    for factor in [1.0, 2, 5] where factor * power >= rough * 0.999 { return factor * power }
    return 10 * power
  }

  /// The place of a value; values beyond the ends are at the ends.
  func place(_ value: Double) -> Double {
    let share =
      isLogarithmic
      ? (log10(max(value, lowest)) - log10(lowest)) / (log10(highest) - log10(lowest))
      : (value - lowest) / (highest - lowest)
    let bounded = min(1, max(0, share.isFinite ? share : 0))
    let width = range.upperBound - range.lowerBound
    return isInverted ? range.upperBound - bounded * width : range.lowerBound + bounded * width
  }

  /// The mark's number, with as many digits as the marks need.
  func label(_ tick: Double) -> String {
    if tick == 0 { return "0" }
    let size = abs(tick)
    if isLogarithmic || size >= 10_000 || size < 1e-3 { return Self.short(tick) }
    let step = ticks.count > 1 ? abs(ticks[1] - ticks[0]) : size
    return NumberText.fixed(tick, step >= 1 ? 0 : min(4, Int((-log10(step) - 1e-9).rounded(.up))))
  }

  /// "10k", "2.5M", "1e-4".
  static func short(_ number: Double) -> String {
    for (factor, unit) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(number) >= factor {
      let scaled = number / factor
      return "\(NumberText.fixed(scaled, scaled == scaled.rounded() ? 0 : 1))\(unit)"
    }
    if abs(number) >= 1e-3 || number == 0 {
      return number == number.rounded() ? NumberText.fixed(number, 0) : "\(number)"
    }
    let exponent = log10(abs(number)).rounded(.down)
    let factor = (number / pow(10, exponent) * 10).rounded() / 10
    return "\(NumberText.fixed(factor, factor == factor.rounded() ? 0 : 1))e\(Int(exponent))"
  }
}
