/// A trained array of a component, with its gradient.
public final class TrainableParameter {
  /// Which component of the run declared it: "adapter", "selector" or "head.NAME"; "training" for the run itself.
  public let owner: String
  /// Its name, unique in the component.
  public let name: String
  /// Its dimensions.
  public let shape: [Int]
  /// Its values in row-major order, `[count]`.
  public let values: UnsafeMutablePointer<Float>
  /// The gradient of the loss, `[count]`: each backward pass adds to it.
  public let gradients: UnsafeMutablePointer<Float>

  /// Whether training leaves its values as they are.
  public var isFrozen = false

  /// What the run's learning rate is multiplied by for it.
  public internal(set) var rateFactor = 1.0
  /// Its weight decay; nil for the run's.
  public internal(set) var weightDecay: Double?

  /// Number of values.
  public let count: Int
  var columns: Int { shape.last ?? 1 }
  var rows: Int { columns == 0 ? 0 : count / columns }

  init(owner: String, name: String, shape: [Int]) {
    self.owner = owner
    self.name = name
    self.shape = shape
    count = shape.reduce(1, *)
    values = .allocate(capacity: count)
    gradients = .allocate(capacity: count)
    values.initialize(repeating: 0, count: count)
    gradients.initialize(repeating: 0, count: count)
  }

  deinit {
    values.deallocate()
    gradients.deallocate()
  }

  /// Sets the gradient to zero.
  public func clearGradient() { gradients.update(repeating: 0, count: count) }
}
