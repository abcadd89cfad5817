import CPTune
import PTune

/// One composition of components at work: what they declared, and the tape of the step in progress.
///
/// The C functions of the host table carry no context, so they act on the ``current`` session of their thread: a
/// plugin that calls the host from a thread of its own finds none, and its operators fail.
public final class Session {
  private static let currentPointer = ThreadLocalPointer()

  /// The session at work on this thread; it is kept alive by whoever put it to work.
  static var current: Session? {
    get { currentPointer.value.map { Unmanaged<Session>.fromOpaque($0).takeUnretainedValue() } }
    set { currentPointer.value = newValue.map { Unmanaged.passUnretained($0).toOpaque() } }
  }

  let machine: Machine
  /// The threads that compute.
  public var threads: ThreadPool { machine.threads }
  /// What the factors of products with frozen weights are rounded to.
  public var precision: ComputePrecision { machine.precision }
  /// The run's random numbers: initial values and dropout draw from it.
  public var generator: SplitMix64
  /// What components declared, in order.
  public internal(set) var parameters: [TrainableParameter] = []

  /// What components keep during a training, in the order in which they asked for it.
  public internal(set) var states: [ComponentState] = []

  var weights: [Weight] = []
  var weightIndices: [String: Int] = [:]
  var services = BaseServices()
  var nodes: [Node] = []
  var leaves: [ObjectIdentifier: Node] = [:]
  var objects: [(kind: HandleKind, object: AnyObject)] = []
  var scope: UInt64 = 1
  var scopeDepth = 0
  var frames: [Frame] = []
  var failure: EngineFailure?

  /// Values of all parameters together, at most; nil for as many as there is memory for.
  public var mostValues: Int?

  /// A session with these threads whose random numbers start from `seed`.
  public init(threads: ThreadPool, seed: UInt64, precision: ComputePrecision = .f32) {
    machine = Machine(threads: threads)
    machine.precision = precision
    generator = SplitMix64(seed: seed)
  }

  /// Messages of components; the program sets where they go.
  public var log: (_ level: Int32, _ message: String) -> Void = { _, _ in }
  /// Whether the user asked to stop.
  public var isCancelled: () -> Bool = { false }

  /// Whether dropout drops anything in training; false to compare a training step with an evaluation.
  public var appliesDropout: Bool {
    get { machine.appliesDropout }
    set { machine.appliesDropout = newValue }
  }
  /// How many random numbers components drew themselves.
  public internal(set) var drawnNumbers = 0

  /// Measures steps; nil for nothing.
  public var profile: Profile? {
    get { machine.profile }
    set { machine.profile = newValue }
  }

  /// Bytes taken from the system for values of steps; they are reused and never given back.
  public var allocatedBytes: Int { machine.pool.allocatedBytes }
}
