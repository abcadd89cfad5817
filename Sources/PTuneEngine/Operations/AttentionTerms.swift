import CPTuneKernels

/// What is added to an attention score besides the product of query and key (`ptune.attention/1`).
///
/// Tables are inputs of the operation, behind the keys and values of its sources.
struct AttentionTerms {
  /// Distances at which a query sees keys; `Int32.max` is no limit.
  struct Window: Equatable {
    var left, right: Int32
    /// Whether keys that an adapter injects are inside, whatever their distance.
    var keepsInjected: Bool
  }

  /// A table with a row for each bucket of distances.
  struct Relative {
    /// Its number among the operation's inputs.
    let input: Int
    /// The bucket of the distances `first`, `first + 1`, …; beyond, that of the nearer end.
    let buckets: [Int32]
    let first: Int32
  }

  /// c of c·tanh(x/c); 0 for none.
  var softCap: Float = 0
  var window: Window?
  /// Of each head, for scores that fall with the distance; nil for none.
  var slopes: [Float]?
  var bias: Relative?
  var contentToPosition: Relative?
  var positionToContent: Relative?
  /// The number, among the inputs, of scores `[1, heads]` that take part in each softmax and go to no value.
  var sinks: Int?
  var places: KeyPlaces

  /// How many tables there are.
  var tableCount: Int {
    [bias?.input, contentToPosition?.input, positionToContent?.input, sinks].compactMap { $0 }.count
  }

  /// Hands the terms to the kernels in their form.
  func withKernel(
    _ operands: AttentionOperands, _ body: (UnsafePointer<ptk_attention_terms>) -> Void
  ) {
    let left = window?.left ?? .max
    let right = window?.right ?? .max
    var kernel = ptk_attention_terms()
    kernel.soft_cap = softCap
    (kernel.left, kernel.right, kernel.keeps_injected) = (left, right, window?.keepsInjected ?? true)
    if let sinks {
      kernel.sinks = operands.tables[sinks]?.value
      kernel.sink_gradients = operands.tables[sinks]?.gradient
    }
    withRelative(bias, operands) { bias in
      withRelative(contentToPosition, operands) { content in
        withRelative(positionToContent, operands) { position in
          (kernel.bias, kernel.content_to_position, kernel.position_to_content) = (bias, content, position)
          places.withKernel(&kernel) { kernel in
            guard let slopes else { return body(&kernel) }
            slopes.withUnsafeBufferPointer {
              kernel.slopes = $0.baseAddress
              body(&kernel)
            }
          }
        }
      }
    }
  }

  private func withRelative(
    _ term: Relative?, _ operands: AttentionOperands, _ body: (ptk_relative) -> Void
  ) {
    guard let term, let table = operands.tables[term.input] else { return body(ptk_relative()) }
    term.buckets.withUnsafeBufferPointer {
      body(
        ptk_relative(
          table: table.value, gradients: table.gradient, stride: table.columns, buckets: $0.baseAddress,
          distances: Int32($0.count), first: term.first))
    }
  }
}

/// Where queries and keys stand.
struct KeyPlaces: Equatable {
  /// Of each query row.
  var queries: [Int32]
  /// Of the rows of all sources, end to end.
  private(set) var keys: [Int32] = []
  /// 1 for a key that stands for no token, of the same rows.
  private(set) var injected: [UInt8] = []
  /// Where the rows of each source begin.
  private(set) var begins: [Int32] = []

  /// Places of queries, without keys yet.
  init(queries: [Int32]) { self.queries = queries }

  /// Adds the rows of the next source.
  mutating func appendSource(_ places: [Int32], injected flags: [UInt8]) {
    begins.append(Int32(keys.count))
    keys += places
    injected += flags
  }

  /// Those of some rows of a source, and which of them stand for no token.
  func rows(_ range: Range<Int32>, of source: Int32) -> (
    places: ArraySlice<Int32>, injected: ArraySlice<UInt8>
  ) {
    let begin = Int(begins[Int(source)])
    let rows = begin + Int(range.lowerBound)..<begin + Int(range.upperBound)
    return (keys[rows], injected[rows])
  }

  fileprivate func withKernel(
    _ kernel: inout ptk_attention_terms, _ body: (inout ptk_attention_terms) -> Void
  ) {
    queries.withUnsafeBufferPointer { queries in
      keys.withUnsafeBufferPointer { keys in
        injected.withUnsafeBufferPointer { injected in
          begins.withUnsafeBufferPointer { begins in
            kernel.query_places = queries.baseAddress
            kernel.key_places = keys.baseAddress
            kernel.injected = injected.baseAddress
            kernel.source_begins = begins.baseAddress
            body(&kernel)
          }
        }
      }
    }
  }
}
