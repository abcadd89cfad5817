/// What the opaque pointers of the ABI really are: a kind, the scope that made it, and an index. A plugin that passes
/// a pointer of another kind, or of a scope gone by, or garbage, gets an error instead of a crash.
enum HandleKind: UInt64 {
  case node = 1
  case weight, parameter, call, forward, batch, injections, export, example, targets, prediction, evaluation
  case arrangement

  var name: String {
    switch self {
    case .node: "tensor"
    case .export: "export"
    default: "\(self)"
    }
  }
}

struct Handle {
  let kind: HandleKind
  let scope: UInt64
  let index: Int

  private static let scopeBits: UInt64 = 24
  static let scopes: UInt64 = 1 << scopeBits

  init(_ kind: HandleKind, scope: UInt64, index: Int) {
    self.kind = kind
    self.scope = scope
    self.index = index
  }

  /// Reads a pointer of the ABI; nil if it is none of ours.
  init?(_ pointer: OpaquePointer?) {
    let bits = UInt64(UInt(bitPattern: pointer))
    guard let kind = HandleKind(rawValue: bits >> 56) else { return nil }
    self.init(kind, scope: (bits >> 32) & (Self.scopes - 1), index: Int(bits & 0xFFFF_FFFF))
  }

  var pointer: OpaquePointer? {
    OpaquePointer(bitPattern: UInt(kind.rawValue << 56 | scope << 32 | UInt64(index)))
  }
}
