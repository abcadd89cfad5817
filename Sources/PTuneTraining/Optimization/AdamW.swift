import CPTuneKernels
import PTuneEngine
import PTuneRunFile

/// AdamW (Loshchilov & Hutter 2019, algorithm 2), as torch.optim.AdamW computes it.
final class AdamW: Optimizer {
  let kind = OptimizerKind.adamw
  let beta1, beta2, epsilon, weightDecay: Float
  var step = 0
  /// Running means of the gradients and of their squares.
  let moments: [[Moment]]
  let parameters: [TrainableParameter]
  var rateShares: [Double]

  init(_ parameters: [TrainableParameter], _ options: TrainingOptions) {
    self.parameters = parameters
    rateShares = parameters.map { _ in 1 }
    beta1 = Float(options.beta1)
    beta2 = Float(options.beta2)
    epsilon = Float(options.epsilon)
    weightDecay = Float(options.weightDecay)
    moments = parameters.map { [Moment("first", shape: $0.shape), Moment("second", shape: $0.shape)] }
  }

  func update(learningRate: Double) {
    step += 1
    Subnormals.flushed {
      for (index, parameter) in parameters.enumerated() {
        let (moments, rate) = (moments[index], learningRate * rateShares[index] * parameter.rateFactor)
        ptk_adamw(
          parameter.count, parameter.values, parameter.gradients, &moments[0].values, &moments[1].values,
          Float(rate), beta1, beta2, epsilon, parameter.weightDecay.map { Float($0) } ?? weightDecay,
          Int64(step))
        parameter.clearGradient()
      }
    }
  }
}
