/// The memory of a tensor of a checkpoint, which several weights may share as parts of it.
///
/// Packed copies take its place where products are all that a weight is for. Then the memory is let go, and comes back if
/// somebody asks for it after all.
final class StoredTensor {
  private let loaded: CheckpointWeight
  /// Nil while the memory is let go.
  private var tensor: CheckpointWeight?
  /// Whether somebody keeps a pointer into the values.
  private var isHeld = false
  /// Whether more is to be read before the memory goes back, and whether it is to go back then.
  private var (isBusy, isDone) = (false, false)

  init(_ tensor: CheckpointWeight) {
    self.tensor = tensor
    loaded = tensor.again == nil ? tensor : tensor.withoutValues
  }

  /// The values, which stay where they are as long as this object lives.
  var values: UnsafePointer<Float> {
    isHeld = true
    return present
  }

  /// Lets `body` read the values; they may be gone afterwards.
  func read<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result {
    defer { withExtendedLifetime(self) {} }
    return body(present)
  }

  /// Lets `body` read the values several times before the memory goes back.
  func readingOften<Result>(_ body: () -> Result) -> Result {
    isBusy = true
    defer {
      isBusy = false
      if isDone { letGo() }
    }
    return body()
  }

  /// Gives the memory back that nobody holds.
  func letGo() {
    isDone = isBusy
    guard !isBusy else { return }
    if let discard = loaded.discard {
      discard()
    } else if !isHeld, loaded.again != nil {
      tensor = nil
    }
  }

  private var present: UnsafePointer<Float> {
    if tensor == nil { tensor = try? loaded.again?() }
    guard let start = tensor?.values.baseAddress else {
      fatalError("a tensor of the checkpoint that was read before cannot be read again")
    }
    return start
  }
}

extension CheckpointWeight {
  private final class Nobody: Sendable {}
  private static let nobody = Nobody()

  /// How to make it again, without what it keeps alive.
  fileprivate var withoutValues: CheckpointWeight {
    var copy = CheckpointWeight(
      shape: shape, values: UnsafeBufferPointer(start: nil, count: 0), owner: Self.nobody)
    copy.again = again
    return copy
  }
}
