import CPTune

/// The C values of a call's arguments and an array of pointers to them, as libffi wants both.
///
/// Everything lives until `free`: texts are scoped to the call.
struct ArgumentStorage {
  private(set) var pointers: [UnsafeMutableRawPointer?] = []
  private var blocks: [UnsafeMutableRawPointer] = []

  mutating func append<Value: BitwiseCopyable>(_ value: Value) {
    pointers.append(store([value]))
  }

  mutating func append(_ argument: TypedArgument) {
    switch argument {
    case .int(let value): append(value)
    case .long(let value): append(value)
    case .float(let value): append(value)
    case .double(let value): append(value)
    case .bool(let value): append(value)
    case .string(let text): append(string(text))
    case .strings(let texts):
      let items = store(texts.map { string($0) }).assumingMemoryBound(to: UnsafePointer<CChar>?.self)
      let list = store([ptune_strings_v1(count: texts.count, items: items)])
      append(UnsafeRawPointer(list))
    }
  }

  func free() {
    for block in blocks { block.deallocate() }
  }

  private mutating func string(_ text: String) -> UnsafePointer<CChar>? {
    let bytes = store(text.utf8.map { CChar(bitPattern: $0) } + [0])
    return UnsafePointer(bytes.assumingMemoryBound(to: CChar.self))
  }

  private mutating func store<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeMutableRawPointer {
    // NB: at least one byte, so that an empty list too has an address of its own.
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, MemoryLayout<Value>.stride * values.count), alignment: MemoryLayout<Value>.alignment)
    values.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(start: block, count: source.count).copyMemory(from: source)
    }
    blocks.append(block)
    return block
  }
}
