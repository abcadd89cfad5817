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
  ///
  /// - Throws: why they could not be made again.
  var values: UnsafePointer<Float> {
    get throws {
      isHeld = true
      return try present
    }
  }

  /// Lets `body` read the values; they may be gone afterwards.
  ///
  /// - Throws: why they could not be made again.
  func read<Result>(_ body: (UnsafePointer<Float>) -> Result) throws -> Result {
    defer { withExtendedLifetime(self) {} }
    return body(try present)
  }

  /// Lets `body` read the values several times before the memory goes back.
  func readingOften<Result>(_ body: () throws -> Result) rethrows -> Result {
    isBusy = true
    defer {
      isBusy = false
      if isDone { letGo() }
    }
    return try body()
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
    get throws {
      if tensor == nil, let again = loaded.again {
        let new = try again()
        guard new.shape == loaded.shape else { throw Changed(before: loaded.shape, now: new.shape) }
        tensor = new
      }
      guard let start = tensor?.values.baseAddress else { throw Changed(before: loaded.shape, now: []) }
      return start
    }
  }

  private struct Changed: Error, CustomStringConvertible {
    let before: [Int]
    let now: [Int]
    var description: String { now.isEmpty ? "it is gone" : "it had the shape \(before) and has \(now)" }
  }
}

/// A weight of the base model whose memory was let go and that cannot be read again.
public struct LostWeight: Error, CustomStringConvertible {
  /// The tensor's name.
  public let name: String
  /// What went wrong.
  public let reason: String

  /// Which weight, and why.
  public var description: String { "the base model's weight '\(name)' cannot be read again: \(reason)" }

  /// What to do about it.
  public var help: String? {
    "restore the model's files; --resume continues a training from its checkpoint"
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
