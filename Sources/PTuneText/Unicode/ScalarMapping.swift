/// Scalars and the scalars each stands for, looked up by bisection.
struct ScalarMapping: Sendable {
  /// The scalars that the mapping has, ascending.
  private(set) var scalars: [UInt32] = []
  /// Where the targets of each scalar end.
  private var ends: [UInt32] = []
  private var targets: [UInt32] = []

  /// A mapping of nothing.
  init() {}

  /// Reads ascending `scalar=first.second…` words, hexadecimal, separated by spaces.
  init(_ text: StaticString) {
    var number: UInt32 = 0
    for position in 0...text.utf8CodeUnitCount {
      let byte = position < text.utf8CodeUnitCount ? text.utf8Start[position] : UInt8(ascii: " ")
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt32(byte - 0x30)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): number = number << 4 | UInt32(byte - 0x37)
      case UInt8(ascii: "="):
        scalars.append(number)
        number = 0
      case UInt8(ascii: "."):
        targets.append(number)
        number = 0
      default:
        targets.append(number)
        ends.append(UInt32(targets.count))
        number = 0
      }
    }
  }

  /// What a scalar stands for; empty for a scalar that the mapping does not have.
  subscript(scalar: UInt32) -> ArraySlice<UInt32> {
    var (low, high) = (0, scalars.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if scalars[middle] <= scalar { low = middle } else { high = middle }
    }
    guard low < high, scalars[low] == scalar else { return [] }
    return targets[(low == 0 ? 0 : Int(ends[low - 1]))..<Int(ends[low])]
  }
}
