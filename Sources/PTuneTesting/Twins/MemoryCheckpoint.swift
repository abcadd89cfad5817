import PTuneEngine

/// A checkpoint without files: a config and named matrices in memory.
public final class MemoryCheckpoint: CheckpointSource {
  private let values: [String: ConfigurationValue]
  private var weights: [String: Matrix] = [:]

  private final class Matrix {
    let shape: [Int]
    let memory: UnsafeMutableBufferPointer<Float>

    init(_ shape: [Int], _ values: [Float]) {
      self.shape = shape
      memory = .allocate(capacity: values.count)
      _ = memory.initialize(from: values)
    }

    deinit { memory.deallocate() }
  }

  /// A checkpoint with this config.json and no weights.
  public init(configuration: [String: ConfigurationValue] = [:]) { values = configuration }

  /// Adds a tensor, or puts it in the place of another; `values` are `[product of shape]`.
  public func add(_ name: String, shape: [Int], _ values: [Float]) { weights[name] = Matrix(shape, values) }

  /// The value of a key of the config.
  public func configuration(_ key: String) -> ConfigurationValue? { values[key] }

  /// All keys of the config.
  public var configurationKeys: [String] { values.keys.sorted() }

  /// Whether a tensor of this name was added.
  public func hasWeight(_ name: String) -> Bool { weights[name] != nil }

  /// The tensor of this name.
  public func weight(_ name: String) -> CheckpointWeight? {
    weights[name].map {
      CheckpointWeight(shape: $0.shape, values: UnsafeBufferPointer($0.memory), owner: $0)
    }
  }
}
