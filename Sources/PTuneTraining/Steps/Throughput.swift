/// Examples per second of training steps: steady state, which leaves out the first steps, when memory is taken and
/// kernels are prepared, and whatever happens between steps.
struct Throughput {
  private var steps = 0
  private var examples = 0
  private var seconds = 0.0
  private var recent: [(examples: Int, seconds: Double)] = []

  /// Steps that do not count.
  private static let warmup = 5
  private static let window = 20

  mutating func add(examples: Int, seconds: Double) {
    steps += 1
    recent.append((examples, seconds))
    if recent.count > Self.window { recent.removeFirst() }
    guard steps > Self.warmup else { return }
    self.examples += examples
    self.seconds += seconds
  }

  /// Over the last steps.
  var now: Double {
    let seconds = recent.reduce(0) { $0 + $1.seconds }
    return seconds > 0 ? Double(recent.reduce(0) { $0 + $1.examples }) / seconds : 0
  }

  /// Over all steps but the first; over the last ones if there were no others.
  var steady: Double { seconds > 0 ? Double(examples) / seconds : now }
}
