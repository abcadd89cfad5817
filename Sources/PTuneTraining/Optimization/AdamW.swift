import CPTuneKernels
import PTuneEngine

/// AdamW (Loshchilov & Hutter 2019, algorithm 2), as torch.optim.AdamW computes it.
final class AdamW {
  let beta1, beta2, epsilon, weightDecay: Float
  /// Steps taken.
  var step = 0
  /// Running means of the gradients, per parameter.
  var firstMoments: [[Float]]
  /// Running means of their squares.
  var secondMoments: [[Float]]
  private let parameters: [TrainableParameter]

  init(_ parameters: [TrainableParameter], _ options: TrainingOptions) {
    self.parameters = parameters
    beta1 = Float(options.beta1)
    beta2 = Float(options.beta2)
    epsilon = Float(options.epsilon)
    weightDecay = Float(options.weightDecay)
    firstMoments = parameters.map { Array(repeating: 0, count: $0.count) }
    secondMoments = firstMoments
  }

  /// The norm of all gradients together.
  func gradientNorm() -> Double {
    parameters.reduce(0) { $0 + ptk_sum_of_squares($1.count, $1.gradients) }.squareRoot()
  }

  /// Scales all gradients.
  func scaleGradients(_ factor: Double) {
    for parameter in parameters {
      for index in 0..<parameter.count { parameter.gradients[index] *= Float(factor) }
    }
  }

  /// Takes a step with the present gradients, and clears them.
  func update(learningRate: Double) {
    step += 1
    for (index, parameter) in parameters.enumerated() {
      ptk_adamw(
        parameter.count, parameter.values, parameter.gradients, &firstMoments[index], &secondMoments[index],
        Float(learningRate), beta1, beta2, epsilon, weightDecay, Int64(step))
      parameter.clearGradient()
    }
  }
}
