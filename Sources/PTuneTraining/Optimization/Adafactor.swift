import CPTuneKernels
import PTuneEngine
import PTuneLibc
import PTuneRunFile

/// Adafactor without momentum, relative steps and parameter scaling (Shazeer & Stern 2018, algorithms 4 and 5, with the
/// learning rate in the place of α_t), as `transformers.Adafactor(scale_parameter=False, relative_step=False,
/// beta1=None)` computes it. Lester et al. 2021 trained prompts with it.
///
/// The squared gradients of a matrix are kept as means of its rows and of its columns, those of a vector one by one.
final class Adafactor: Optimizer {
  let kind = OptimizerKind.adafactor
  let decayRate, clipThreshold, weightDecay: Double
  var step = 0
  let moments: [[Moment]]
  let parameters: [TrainableParameter]
  var rateShares: [Double]

  init(_ parameters: [TrainableParameter], _ options: TrainingOptions) {
    self.parameters = parameters
    rateShares = parameters.map { _ in 1 }
    decayRate = options.decayRate
    clipThreshold = options.clipThreshold
    weightDecay = options.weightDecay
    moments = parameters.map { parameter in
      let shape = parameter.shape
      guard let columns = shape.last, shape.count > 1 else { return [Moment("squares", shape: shape)] }
      return [
        Moment("row_squares", shape: shape.dropLast()),
        Moment("column_squares", shape: shape.dropLast(2) + [columns]),
      ]
    }
  }

  func update(learningRate: Double) {
    step += 1
    let decay = Float(1 - pow(Double(step), -decayRate))
    Subnormals.flushed {
      for (index, parameter) in parameters.enumerated() {
        let (moments, rate) = (moments[index], learningRate * rateShares[index] * parameter.rateFactor)
        if moments.count == 1 {
          ptk_adafactor_whole(parameter.count, parameter.gradients, &moments[0].values, decay)
        } else {
          factor(parameter, rows: moments[0], columns: moments[1], decay)
        }
        // A step whose root mean square is above the threshold is scaled down to it (algorithm 4, line 8).
        let size = (ptk_sum_of_squares(parameter.count, parameter.gradients) / Double(parameter.count))
          .squareRoot()
        ptk_descend(
          parameter.count, parameter.values, parameter.gradients,
          Float(1 - (parameter.weightDecay ?? weightDecay) * rate),
          Float(rate / max(1, size / clipThreshold)))
        parameter.clearGradient()
      }
    }
  }

  /// Each matrix of the last two dimensions by itself.
  private func factor(_ parameter: TrainableParameter, rows: Moment, columns: Moment, _ decay: Float) {
    let shape = parameter.shape.suffix(2)
    let (height, width) = (shape[shape.startIndex], shape[shape.startIndex + 1])
    rows.values.withUnsafeMutableBufferPointer { rows in
      columns.values.withUnsafeMutableBufferPointer { columns in
        guard let rows = rows.baseAddress, let columns = columns.baseAddress else { return }
        for matrix in 0..<parameter.count / (height * width) {
          ptk_adafactor_factored(
            height, width, parameter.gradients + matrix * height * width, rows + matrix * height,
            columns + matrix * width, decay)
        }
      }
    }
  }
}
