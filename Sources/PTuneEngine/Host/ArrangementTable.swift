import CPTune

/// Collects what `arrange` appends.
public final class ArrangementCollector {
  /// A text, or two, that the tokenizer joins.
  public struct Input: Equatable, Sendable {
    /// The first text.
    public let first: String
    /// The second text, if there is one.
    public let second: String?
    /// Which text gives way where they do not fit.
    public let cut: Cut
    /// Tokens that a window shares with the one before it; nil: what does not fit is dropped.
    public let overlap: Int?
  }

  /// Which text gives way where two do not fit.
  public enum Cut: Int32, Sendable {
    /// The longer one first, then both alike.
    case longer = 0
    /// The first one.
    case first = 1
    /// The second one.
    case second = 2
  }

  /// In the order they were appended.
  public internal(set) var inputs: [Input] = []
}

/// `ptune.arrangement/1`
enum ArrangementTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_arrangement_v1(
      struct_size: MemoryLayout<ptune_arrangement_v1>.size,
      input: { pointer, first, second, cut, overlap in
        guard let recorder = Recorder("input"),
          let to = recorder.session.object(pointer, .arrangement, ArrangementCollector.self)
        else { return ptune_status(PTUNE_FAILED) }
        let side = ArrangementCollector.Cut(rawValue: cut)
        guard let first, let side, side != .second || second != nil, side != .longer || overlap < 0 else {
          _ = recorder.fail(
            first == nil
              ? "a sequence needs a text" : "cut \(cut) with overlap \(overlap) does not fit these texts")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        to.inputs.append(
          .init(
            first: String(cString: first), second: second.map { String(cString: $0) }, cut: side,
            overlap: overlap < 0 ? nil : Int(overlap)))
        return ptune_status(PTUNE_OK)
      }))
}
