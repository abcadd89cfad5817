import PTune
import PTuneEngine

/// Compares the gradients that the engine computes with differences of the loss.
///
/// For a direction d of ±1 per value of a parameter x, the derivative of the loss along d is both g·d and
///
///     D(h) = (L(x + h·d) - L(x - h·d)) / 2h,   (4·D(h/2) - D(h)) / 3 being exact to h⁴ (Richardson 1911)
///
/// A direction sees every value at once, so one wrong value among thousands counts, and a derivative along it is as
/// large as the gradient's norm, so it stands out of the rounding of a loss in single precision, about 1e-7.
/// All other parameters stay as they are. Dropout draws the same numbers each time.
public struct GradientCheck: Sendable {
  /// Random directions per parameter.
  public var directions = 4
  /// The smallest h, relative to the root mean square of the parameter (at least 0.1, for parameters that start at
  /// zero). Where the gradient is small, h is up to 25 times as large, so that the loss changes visibly.
  public var step = 2e-2
  /// The largest difference that passes, relative to the gradient's norm. What a right gradient shows is rounding,
  /// mostly below 2e-3; a missing or doubled part of it shows as its share, 0.1 and more.
  public var tolerance = 1e-2
  /// Gradients with a smaller norm are compared as if it were this: rounding is all that is left of them.
  public var smallestNorm = 1e-3
  /// Of the directions.
  public var seed: UInt64 = 1

  /// A change of the loss that rounding does not blur, about a thousand times its last digit.
  private static let visibleChange = 2e-4

  /// A difference across a kink, such as relu's, is no derivative. Where derivatives disagree, h is made smaller by
  /// these, which leaves fewer kinks in between; a wrong gradient disagrees with all.
  private static let scales = [1, 1.0 / 4, 1.0 / 16, 1.0 / 64]

  /// A check with the usual settings.
  public init() {}

  /// Checks every trained parameter of a model on a batch.
  ///
  /// Values and the state of the random numbers are restored; gradients are zero afterwards.
  ///
  /// - Throws: `EngineFailure` if the loss cannot be computed.
  public func run(_ model: Model, on batch: PackedBatch) throws -> GradientReport {
    let start = model.mark()
    defer {
      model.restore(start)
      for parameter in model.parameters { parameter.clearGradient() }
    }
    for parameter in model.parameters { parameter.clearGradient() }
    _ = try model.differentiate(batch)
    let gradients = model.parameters.map { parameter in
      (0..<parameter.count).map { Double(parameter.gradients[$0]) }
    }
    func loss() throws -> Double {
      model.restore(start)
      return Double(try model.loss(batch))
    }
    var generator = SplitMix64(seed: seed)
    let entries = try zip(model.parameters, gradients).map { parameter, gradient in
      var differences: [Double] = []
      for _ in 0..<directions {
        let signs = (0..<parameter.count).map { _ in generator.next() & 1 == 0 ? Float(1) : -1 }
        var smallest = Double.infinity
        for scale in Self.scales where smallest > tolerance {
          let difference = try difference(parameter, gradient, signs, scale, loss)
          // A comparison with NaN is false: it must not pass for small.
          smallest = difference < smallest ? difference : smallest
        }
        differences.append(smallest)
      }
      return GradientReport.Entry(
        owner: parameter.owner, name: parameter.name, shape: parameter.shape, norm: norm(gradient),
        worstDifference: differences.max() ?? 0,
        typicalDifference: differences.sorted()[differences.count / 2])
    }
    return GradientReport(entries: entries, tolerance: tolerance)
  }

  /// How far the two derivatives along a direction are apart, relative to the gradient's norm.
  private func difference(
    _ parameter: TrainableParameter, _ gradient: [Double], _ signs: [Float], _ scale: Double,
    _ loss: () throws -> Double
  ) throws -> Double {
    let values = (0..<parameter.count).map { parameter.values[$0] }
    defer { for index in values.indices { parameter.values[index] = values[index] } }
    let size = max(
      (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)).squareRoot(), 0.1)

    /// D(h) and g·d along the step that single precision really made, both per h.
    func derivatives(_ h: Double) throws -> (numeric: Double, analytic: Double) {
      for index in values.indices { parameter.values[index] = values[index] + Float(h) * signs[index] }
      let above = try loss()
      var moved = values.indices.map { Double(parameter.values[$0]) }
      for index in values.indices { parameter.values[index] = values[index] - Float(h) * signs[index] }
      let below = try loss()
      for index in values.indices { moved[index] -= Double(parameter.values[index]) }
      let analytic = zip(gradient, moved).reduce(0) { $0 + $1.0 * $1.1 }
      return ((above - below) / (2 * h), analytic / (2 * h))
    }
    let wanted = Self.visibleChange / max(norm(gradient), .leastNormalMagnitude)
    let h = scale * step * size * min(max(1, wanted / (step * size)), 25)
    let whole = try derivatives(h)
    let half = try derivatives(h / 2)
    let numeric = (4 * half.numeric - whole.numeric) / 3
    let analytic = (4 * half.analytic - whole.analytic) / 3
    return abs(numeric - analytic) / max(norm(gradient), abs(numeric), smallestNorm)
  }

  private func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
}
