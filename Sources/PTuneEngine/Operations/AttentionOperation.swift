import CPTuneKernels

/// Attention of segments of query rows to ranges of key rows: the one attention that serves everything.
///
/// Inputs: queries `[rows, heads·d]`, then keys and values `[·, kv heads·d]` of each source.
struct AttentionOperation: Operation {
  let name = "attention"
  let heads, keyValueHeads: Int
  let segments: [AttentionSegment]
  /// For each query row how many of its segment's keys it sees; nil for all.
  let visible: [Int32]?
  /// Further sources, behind those that are inputs: keys and values of earlier passes.
  var cached: [KeyValueCache.Block] = []

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { index == 0 ? .same : .all }
  var restrictsRows: Bool { true }
  func backwardReads(_ index: Int) -> Bool { true }
  var backwardReadsResult: Bool { true }

  func restricted(to rows: [Int32]) -> any Operation {
    var segmentOf: [Int32: Int] = [:]
    for (index, segment) in segments.enumerated() {
      for row in segment.queries { segmentOf[row] = index }
    }
    var kept: [AttentionSegment] = []
    var last: Int?
    for (place, row) in rows.enumerated() {
      // Every row of a forward pass belongs to a segment.
      guard let index = segmentOf[row] else { continue }
      let place = Int32(place)
      if index == last, kept[kept.count - 1].queries.upperBound == place {
        kept[kept.count - 1].queries = kept[kept.count - 1].queries.lowerBound..<place + 1
      } else {
        kept.append(AttentionSegment(queries: place..<place + 1, keys: segments[index].keys))
      }
      last = index
    }
    return AttentionOperation(
      heads: heads, keyValueHeads: keyValueHeads, segments: kept,
      visible: visible.map { visible in rows.map { visible[Int($0)] } }, cached: cached)
  }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let out = machine.result(instruction)
    let logSums = machine.save(heads * instruction.rows, for: instruction)
    withKernel(instruction, machine, gradients: false) { kernel in
      split(instruction, machine) { part in
        ptk_attention_forward(
          kernel, instruction.rows, part.lowerBound, part.upperBound, out, instruction.columns, logSums)
      }
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let out = instruction.value else { return }
    let queries = instruction.inputs[0]
    let logSums = instruction.saved[0]
    withKernel(instruction, machine, gradients: true) { kernel in
      func run(_ dq: Floats?) {
        split(instruction, machine) { part in
          ptk_attention_backward(
            kernel, instruction.rows, part.lowerBound, part.upperBound, out, dy, instruction.columns, logSums,
            dq, queries.columns)
        }
      }
      if queries.needsGradient { machine.addGradient(to: queries) { run($0) } } else { run(nil) }
    }
  }

  /// Splits over key-value heads: each thread then owns the gradients of its heads' keys and values.
  private func split(_ instruction: Instruction, _ machine: Machine, _ body: (Range<Int>) -> Void) {
    machine.threads.split(keyValueHeads, work: instruction.count * 64, body)
  }

  /// Hands the operation to the kernels in their form.
  private func withKernel(
    _ instruction: Instruction, _ machine: Machine, gradients: Bool,
    _ body: (UnsafePointer<ptk_attention>) -> Void
  ) {
    let queries = instruction.inputs[0]
    var sources: [ptk_key_values] = []
    for index in stride(from: 1, to: instruction.inputs.count, by: 2) {
      let (keys, values) = (instruction.inputs[index], instruction.inputs[index + 1])
      sources.append(
        ptk_key_values(
          keys: keys.value, values: values.value,
          key_gradients: gradients ? machine.gradient(of: keys) : nil,
          value_gradients: gradients ? machine.gradient(of: values) : nil, stride: keys.columns))
    }
    for block in cached {
      sources.append(
        ptk_key_values(
          keys: block.keys, values: block.values, key_gradients: nil, value_gradients: nil,
          stride: block.columns))
    }
    var ranges: [ptk_range] = []
    var parts: [ptk_segment] = []
    for segment in segments {
      parts.append(
        ptk_segment(
          query_begin: segment.queries.lowerBound, query_count: Int32(segment.queries.count),
          range_begin: Int32(ranges.count), range_count: Int32(segment.keys.count)))
      ranges += segment.keys.map {
        ptk_range(source: $0.source, begin: $0.rows.lowerBound, count: Int32($0.rows.count))
      }
    }
    let size = queries.columns / heads
    sources.withUnsafeBufferPointer { sources in
      ranges.withUnsafeBufferPointer { ranges in
        parts.withUnsafeBufferPointer { parts in
          var kernel = ptk_attention(
            heads: heads, kv_heads: keyValueHeads, head_size: size, scale: 1 / Float(size).squareRoot(),
            queries: queries.value, query_stride: queries.columns, sources: sources.baseAddress,
            ranges: ranges.baseAddress, segments: parts.baseAddress, segment_count: parts.count, visible: nil)
          guard let visible else { return body(&kernel) }
          visible.withUnsafeBufferPointer {
            kernel.visible = $0.baseAddress
            body(&kernel)
          }
        }
      }
    }
  }
}

/// Query rows and the key rows they see, in order.
struct AttentionSegment: Equatable {
  struct Keys: Equatable {
    /// Index of a pair of keys and values among the operation's sources.
    var source: Int32
    var rows: Range<Int32>
  }
  var queries: Range<Int32>
  var keys: [Keys]
}
