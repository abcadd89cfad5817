/// The terms of an attention as a base model gives them, with the tables that they read.
struct GivenTerms {
  struct Relative {
    let table: Node
    let buckets: [Int32]
    let first: Int32
  }

  var scale: Float?
  var softCap: Float?
  var window: AttentionTerms.Window?
  var slopes: [Float]?
  var bias: Relative?
  var contentToPosition: Relative?
  var positionToContent: Relative?
  var sinks: Node?

  /// Whether scores depend on more than a product and its scale.
  var dependOnMore: Bool {
    softCap != nil || window != nil || slopes != nil || bias != nil || contentToPosition != nil
      || positionToContent != nil || sinks != nil
  }

  /// The terms as the operation has them, or nil where they change nothing: a window that holds every key a query could
  /// see is none.
  ///
  /// - Parameter inputs: those of the operation, to which the tables are added.
  func resolved(
    _ places: KeyPlaces, segments: [AttentionSegment], isCausal: Bool, _ inputs: inout [Node]
  ) -> AttentionTerms? {
    func add(_ table: Node) -> Int {
      inputs.append(table)
      return inputs.count - 1
    }
    func add(_ term: Relative?) -> AttentionTerms.Relative? {
      term.map { AttentionTerms.Relative(input: add($0.table), buckets: $0.buckets, first: $0.first) }
    }
    var rest = self
    if let window, window.holds(all: segments, places, isCausal: isCausal) { rest.window = nil }
    guard rest.dependOnMore else { return nil }
    return AttentionTerms(
      softCap: softCap ?? 0, window: rest.window, slopes: slopes, bias: add(bias),
      contentToPosition: add(contentToPosition), positionToContent: add(positionToContent),
      sinks: sinks.map { add($0) }, places: places)
  }
}

extension AttentionTerms.Window {
  /// Whether each query of these segments sees all of its segment's keys through it.
  fileprivate func holds(all segments: [AttentionSegment], _ places: KeyPlaces, isCausal: Bool) -> Bool {
    segments.allSatisfy { segment in
      let queries = places.queries[Int(segment.queries.lowerBound)..<Int(segment.queries.upperBound)]
      guard let lowest = queries.min(), let highest = queries.max() else { return true }
      return segment.keys.allSatisfy { range in
        let keys = places.rows(range.rows, of: range.source)
        return zip(keys.places, keys.injected).allSatisfy { place, isInjected in
          if isInjected == 1, keepsInjected { return true }
          // In a causal model nothing behind a query is seen anyway.
          return Int64(highest) - Int64(place) <= Int64(left)
            && (isCausal || Int64(place) - Int64(lowest) <= Int64(right))
        }
      }
    }
  }
}
