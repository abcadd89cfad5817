import CPTune

/// One row of data, as a head sees it.
public final class ExampleRow {
  let fields: [String: String]
  let tokens: [Int32]
  let spans: [ptune_span_v1]
  private var strings: [String: UnsafeMutablePointer<CChar>] = [:]

  /// A row with these fields; tokens and spans where a head needs them.
  public init(fields: [String: String], tokens: [Int32] = [], spans: [(field: Int, range: Range<Int>)] = []) {
    self.fields = fields
    self.tokens = tokens
    self.spans = spans.map {
      ptune_span_v1(
        field: Int32($0.field), begin: Int32($0.range.lowerBound), end: Int32($0.range.upperBound))
    }
  }

  deinit { for string in strings.values { string.deallocate() } }

  func field(_ name: String) -> UnsafePointer<CChar>? {
    if let known = strings[name] { return UnsafePointer(known) }
    guard let bytes = fields[name].map({ Array($0.utf8CString) }) else { return nil }
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    copy.initialize(from: bytes, count: bytes.count)
    strings[name] = copy
    return UnsafePointer(copy)
  }

  func withTokens(
    _ ids: UnsafeMutablePointer<UnsafePointer<Int32>?>?,
    _ places: UnsafeMutablePointer<UnsafePointer<ptune_span_v1>?>?
  ) -> Int {
    if tokenMemory == nil {
      let memory = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, tokens.count))
      memory.initialize(from: tokens, count: tokens.count)
      let spanCopy = UnsafeMutablePointer<ptune_span_v1>.allocate(capacity: max(1, spans.count))
      spanCopy.initialize(from: spans, count: spans.count)
      tokenMemory = Memory(tokens: memory, spans: spanCopy)
    }
    ids?.pointee = tokenMemory.map { UnsafePointer($0.tokens) }
    places?.pointee = tokenMemory.map { UnsafePointer($0.spans) }
    return tokens.count
  }

  private final class Memory {
    let tokens: UnsafeMutablePointer<Int32>
    let spans: UnsafeMutablePointer<ptune_span_v1>
    init(tokens: UnsafeMutablePointer<Int32>, spans: UnsafeMutablePointer<ptune_span_v1>) {
      self.tokens = tokens
      self.spans = spans
    }
    deinit {
      tokens.deallocate()
      spans.deallocate()
    }
  }
  private var tokenMemory: Memory?
}
