import PTuneEngine
import PTuneFormats
import PTuneLibc

/// A learning-rate range test (Smith 2017, section 3.3, https://arxiv.org/abs/1506.01186): some steps at rates that
/// grow exponentially, and what the loss does meanwhile. The trained values are put back afterwards.
public struct LearningRateFinder {
  /// A step of the test.
  public struct Point: Sendable, Equatable {
    /// The learning rate.
    public let rate: Double
    /// The loss of the step's examples, before its update.
    public let loss: Double
    /// The exponential moving average of the losses so far, corrected for its start at 0.
    public let smoothed: Double
  }

  /// What the test says.
  public struct Findings: Sendable {
    /// The steps; the test ends early where the loss explodes.
    public let points: [Point]
    /// The rate to begin with; nil if the loss did not fall.
    public let suggestion: Double?
    /// Where the smoothed loss is least.
    public let least: Point?
    /// Where it falls most steeply.
    public let steepest: Point?
    /// The rate that the run would be trained at.
    public let present: Double
  }

  /// How much of the average a step keeps.
  static let smoothing = 0.9
  /// The test ends where the smoothed loss is so many times the least one.
  static let explosion = 3.0

  private let run: TrainingRun
  private let rates: ClosedRange<Double>
  private let steps: Int

  /// A test of a run.
  ///
  /// - Parameters:
  ///   - rates: the first and the last rate.
  ///   - steps: how many rates are tried.
  public init(_ run: TrainingRun, rates: ClosedRange<Double> = 1e-5...10, steps: Int = 120) {
    (self.run, self.rates, self.steps) = (run, rates, steps)
  }

  /// The file of the findings, in the run's output.
  public static let file = RunFolderFiles.learningRates

  /// Takes the test's steps.
  ///
  /// - Parameter report: takes each point, and returns whether to go on.
  /// - Throws: `EngineFailure`.
  public func find(report: (Point) -> Bool) throws -> Findings {
    let (model, options) = (run.composition.model, run.spec.training)
    let session = model.session
    let values = model.trainedParameters.map { Array(UnsafeBufferPointer(start: $0.values, count: $0.count)) }
    let generator = session.generator.state
    let states = session.states.map { Array($0.values) }
    defer {
      for (parameter, values) in zip(model.trainedParameters, values) {
        parameter.values.update(from: values, count: values.count)
      }
      session.generator.state = generator
      // A component may have asked for one only now; it starts at zero.
      for (index, state) in session.states.enumerated() {
        let values = index < states.count ? states[index] : Array(repeating: 0, count: state.values.count)
        _ = session.restoreState(owner: state.owner, name: state.name, values: values)
      }
    }
    let optimizer = options.optimizer.make(model.trainedParameters, options)
    let planner = EpochPlanner(lengths: run.examples.map { $0.train.map(\.tokens.count) }, options)
    var (epoch, batches) = (0, planner.batches(epoch: 0)[...])
    var (points, average, least) = ([Point](), 0.0, Double.infinity)
    for step in 0..<steps {
      var chosen: [PackedBatch] = []
      for _ in 0..<options.accumulation {
        if batches.isEmpty {
          epoch += 1
          batches = planner.batches(epoch: epoch)[...]
        }
        chosen.append(
          run.composition.batch(
            batches.removeFirst().map { (task: $0.task, example: run.examples[$0.task].train[$0.index]) },
            training: true))
      }
      let loss = try zip(chosen, try model.shares(of: chosen)).reduce(0.0) {
        $0 + Double(try model.differentiate($1.0, share: $1.1))
      }
      let norm = optimizer.gradientNorm()
      guard loss.isFinite, norm.isFinite else { break }
      average = Self.smoothing * average + (1 - Self.smoothing) * loss
      let smoothed = average / (1 - pow(Self.smoothing, Double(step + 1)))
      let rate =
        rates.lowerBound * pow(rates.upperBound / rates.lowerBound, Double(step) / Double(max(1, steps - 1)))
      points.append(Point(rate: rate, loss: loss, smoothed: smoothed))
      least = min(least, smoothed)
      if !report(points[points.count - 1]) || smoothed > Self.explosion * least { break }
      if options.clipNorm > 0, norm > options.clipNorm {
        optimizer.scaleGradients(options.clipNorm / (norm + 1e-6))
      }
      optimizer.update(learningRate: rate)
    }
    let present = options.learningRate ?? run.composition.recommendedLearningRate ?? Trainer.usualLearningRate
    return Self.findings(points, present: present)
  }
}

extension LearningRateFinder {
  /// Reads the curve.
  ///
  /// The suggestion is the rate at which the smoothed loss falls most steeply over a factor of about three in the rate,
  /// up to where it is least.
  static func findings(_ points: [Point], present: Double) -> Findings {
    // The first averages are of a few batches only.
    let settled = points.dropFirst(10)
    guard let least = settled.min(by: { $0.smoothed < $1.smoothed }), let first = settled.first else {
      return Findings(points: points, suggestion: nil, least: nil, steepest: nil, present: present)
    }
    let falling = Array(settled.prefix { $0.rate <= least.rate })
    let perStep = points.count > 1 ? log(points[1].rate / points[0].rate) : 1
    let span = max(1, Int((log(3) / perStep).rounded()))
    var steepest: (drop: Double, point: Point)?
    for index in falling.indices.dropLast(span) {
      let drop = falling[index].smoothed - falling[index + span].smoothed
      if drop > steepest?.drop ?? 0 { steepest = (drop, falling[index + span / 2]) }
    }
    // The noise of batches moves the average, too.
    let fell = least.smoothed < first.smoothed * 0.97
    return Findings(
      points: points, suggestion: fell ? steepest.map { rounded($0.point.rate) } : nil, least: least,
      steepest: steepest?.point, present: present)
  }

  /// To 1, 2, 3 or 5 times a power of ten: the test is no finer than that.
  static func rounded(_ rate: Double) -> Double {
    let power = pow(10, floor(log10(rate)))
    let digit = [1.0, 2, 3, 5, 10].min { abs(log($0 * power / rate)) < abs(log($1 * power / rate)) } ?? 1
    // Through its digits, so that 3e-2 is 0.03 and not 0.030000000000000002.
    return Double("\(Int(digit))e\(Int(log10(power).rounded()))") ?? digit * power
  }
}

extension LearningRateFinder.Findings {
  /// Whether the run's rate is within a factor of three of the suggestion: the test is no finer than that.
  public var isNear: Bool {
    guard let suggestion else { return false }
    return (1 / 3.2...3.2).contains(present / suggestion)
  }

  /// As `learning-rate.json` has them.
  public var json: JSONValue {
    [
      "suggestion": suggestion.map { .double($0) } ?? .null, "present": .double(present),
      "least": least.map { ["rate": .double($0.rate), "loss": .double($0.smoothed)] } ?? .null,
      "steepest": steepest.map { ["rate": .double($0.rate), "loss": .double($0.smoothed)] } ?? .null,
      "points": .array(
        points.map { ["rate": .double($0.rate), "loss": .double($0.loss), "smoothed": .double($0.smoothed)] }),
    ]
  }
}
