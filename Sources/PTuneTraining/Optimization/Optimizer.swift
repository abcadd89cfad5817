import CPTuneKernels
import PTuneEngine
import PTuneRunFile

extension OptimizerKind {
  func make(_ parameters: [TrainableParameter], _ options: TrainingOptions) -> any Optimizer {
    switch self {
    case .adamw: AdamW(parameters, options)
    case .adafactor: Adafactor(parameters, options)
    }
  }
}

/// Takes the steps of a training.
protocol Optimizer: AnyObject {
  var kind: OptimizerKind { get }
  var parameters: [TrainableParameter] { get }
  /// Steps taken.
  var step: Int { get set }
  /// What it keeps of each parameter from step to step.
  var moments: [[Moment]] { get }
  /// What the learning rate of each parameter is multiplied by.
  var rateShares: [Double] { get set }
  /// Takes a step with the present gradients, and clears them.
  func update(learningRate: Double)
}

/// Running means that an optimiser keeps.
final class Moment {
  /// Its name in checkpoints.
  let name: String
  let shape: [Int]
  var values: [Float]

  /// All zero.
  init(_ name: String, shape: [Int]) {
    self.name = name
    self.shape = shape
    values = Array(repeating: 0, count: shape.reduce(1, *))
  }
}

extension Optimizer {
  /// The norm of all gradients together.
  func gradientNorm() -> Double {
    Subnormals.flushed {
      parameters.reduce(0) { $0 + ptk_sum_of_squares($1.count, $1.gradients) }.squareRoot()
    }
  }

  /// Scales all gradients.
  func scaleGradients(_ factor: Double) {
    Subnormals.flushed {
      for parameter in parameters {
        for index in 0..<parameter.count { parameter.gradients[index] *= Float(factor) }
      }
    }
  }
}
