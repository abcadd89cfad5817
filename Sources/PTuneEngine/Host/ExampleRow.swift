import CPTune

/// One row of data, as a head sees it.
public final class ExampleRow {
  /// What a head may ask for, by name.
  package let fields: [String: String]
  let tokens: [Int32]
  let spans: [ptune_span_v1]
  /// Where each sequence begins in `tokens`, and the end.
  let offsets: [Int32]
  /// The fields that a head asked for and that the row has.
  public private(set) var asked: Set<String> = []
  private var strings: [String: UnsafeMutablePointer<CChar>] = [:]

  /// A row with these fields; tokens and spans where a head needs them.
  ///
  /// - Parameter offsets: where each sequence begins in `tokens`, and the end; nil for a single one.
  public init(
    fields: [String: String], tokens: [Int32] = [], spans: [(field: Int, range: Range<Int>)] = [],
    offsets: [Int32]? = nil
  ) {
    self.fields = fields
    self.tokens = tokens
    self.offsets = offsets ?? [0, Int32(tokens.count)]
    self.spans = spans.map {
      ptune_span_v1(
        field: Int32($0.field), begin: Int32($0.range.lowerBound), end: Int32($0.range.upperBound))
    }
  }

  /// The tokens of each sequence.
  public var sequences: [[Int32]] {
    offsets.indices.dropLast().map { Array(tokens[Int(offsets[$0])..<Int(offsets[$0 + 1])]) }
  }

  deinit { for string in strings.values { string.deallocate() } }

  func field(_ name: String) -> UnsafePointer<CChar>? {
    if fields[name] != nil { asked.insert(name) }
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
    ids?.pointee = UnsafePointer(memory.tokens.pointer)
    places?.pointee = UnsafePointer(memory.spans.pointer)
    return tokens.count
  }

  func withSequences(_ places: UnsafeMutablePointer<UnsafePointer<Int32>?>?) -> Int {
    places?.pointee = UnsafePointer(memory.offsets.pointer)
    return offsets.count - 1
  }

  /// The arrays at addresses that stay.
  private final class Memory {
    let tokens: HandedArray<Int32>
    let spans: HandedArray<ptune_span_v1>
    let offsets: HandedArray<Int32>

    init(_ row: ExampleRow) {
      tokens = HandedArray(row.tokens, "tokens of a row")
      spans = HandedArray(row.spans, "spans of a row")
      offsets = HandedArray(row.offsets, "sequences of a row")
    }
  }
  private lazy var memory = Memory(self)
}
