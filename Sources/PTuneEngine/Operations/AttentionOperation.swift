import CPTuneKernels

/// Attention of segments of query rows to ranges of key rows: the one attention that serves everything.
///
/// Inputs: queries `[rows, heads·d]`, then keys and values `[·, kv heads·d]` of each source, then the tables of the terms.
struct AttentionOperation: Operation {
  let name = "attention"
  let heads, keyValueHeads: Int
  let segments: [AttentionSegment]
  /// For each query row how many of its segment's keys it sees; nil for all.
  let visible: [Int32]?
  /// Further sources, behind those that are inputs: keys and values of earlier passes.
  var cached: [KeyValueCache.Block] = []
  /// What products of queries and keys are multiplied by; nil for 1/√d.
  var scale: Float?
  /// What else makes a score; nil for nothing, which is faster.
  var terms: AttentionTerms?

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
    var terms = terms
    terms?.places.queries = rows.compactMap { self.terms?.places.queries[Int($0)] }
    return AttentionOperation(
      heads: heads, keyValueHeads: keyValueHeads, segments: kept,
      visible: visible.map { visible in rows.map { visible[Int($0)] } }, cached: cached, scale: scale,
      terms: terms)
  }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let out = machine.result(instruction)
    let logSums = machine.save(heads * instruction.rows, for: instruction)
    let columns = instruction.columns
    withKernel(operands(instruction, machine, gradients: false)) { kernel, terms in
      split(instruction, machine) { part in
        if let terms {
          ptk_attention_terms_forward(
            kernel, terms, instruction.rows, part.lowerBound, part.upperBound, out, columns, logSums)
        } else {
          ptk_attention_forward(
            kernel, instruction.rows, part.lowerBound, part.upperBound, out, columns, logSums)
        }
      }
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let out = instruction.value else { return }
    let queries = instruction.inputs[0]
    let (columns, logSums) = (instruction.columns, instruction.saved[0])
    withKernel(operands(instruction, machine, gradients: true)) { kernel, terms in
      func run(_ dq: Floats?) {
        split(instruction, machine) { part in
          if let terms {
            ptk_attention_terms_backward(
              kernel, terms, instruction.rows, part.lowerBound, part.upperBound, out, dy, columns, logSums,
              dq, queries.columns)
          } else {
            ptk_attention_backward(
              kernel, instruction.rows, part.lowerBound, part.upperBound, out, dy, columns, logSums, dq,
              queries.columns)
          }
        }
      }
      if queries.needsGradient { machine.addGradient(to: queries) { run($0) } } else { run(nil) }
    }
  }

  /// Splits over key-value heads: each thread then owns the gradients of its heads' keys and values.
  private func split(_ instruction: Instruction, _ machine: Machine, _ body: (Range<Int>) -> Void) {
    machine.threads.split(keyValueHeads, work: instruction.count * 64, body)
  }

  /// Keys and values, in turn, of the sources that are inputs.
  func sourceInputs(of count: Int) -> Range<Int> { 1..<count - (terms?.tableCount ?? 0) }

  private func operands(_ instruction: Instruction, _ machine: Machine, gradients: Bool) -> AttentionOperands
  {
    let (queries, inputs) = (instruction.inputs[0], instruction.inputs)
    var operands = AttentionOperands(queries: queries.value, queryColumns: queries.columns)
    let own = sourceInputs(of: inputs.count)
    for index in stride(from: own.lowerBound, to: own.upperBound, by: 2) {
      let (keys, values) = (inputs[index], inputs[index + 1])
      operands.sources.append(
        ptk_key_values(
          keys: keys.value, values: values.value,
          key_gradients: gradients ? machine.gradient(of: keys) : nil,
          value_gradients: gradients ? machine.gradient(of: values) : nil, stride: keys.columns))
    }
    for index in own.upperBound..<inputs.count {
      operands.tables[index] = .init(
        value: inputs[index].value, gradient: gradients ? machine.gradient(of: inputs[index]) : nil,
        columns: inputs[index].columns)
    }
    return operands
  }

  /// Hands the operation to the kernels in their form.
  func withKernel(
    _ operands: AttentionOperands,
    _ body: (UnsafePointer<ptk_attention>, UnsafePointer<ptk_attention_terms>?) -> Void
  ) {
    let sources =
      operands.sources
      + cached.map {
        ptk_key_values(
          keys: $0.keys, values: $0.values, key_gradients: nil, value_gradients: nil, stride: $0.columns)
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
    let size = operands.queryColumns / heads
    sources.withUnsafeBufferPointer { sources in
      ranges.withUnsafeBufferPointer { ranges in
        parts.withUnsafeBufferPointer { parts in
          var kernel = ptk_attention(
            heads: heads, kv_heads: keyValueHeads, head_size: size,
            scale: scale ?? 1 / Float(size).squareRoot(), queries: operands.queries,
            query_stride: operands.queryColumns, sources: sources.baseAddress,
            ranges: ranges.baseAddress, segments: parts.baseAddress, segment_count: parts.count, visible: nil)
          func run() {
            guard let terms else { return body(&kernel, nil) }
            terms.withKernel(operands) { body(&kernel, $0) }
          }
          guard let visible else { return run() }
          visible.withUnsafeBufferPointer {
            kernel.visible = $0.baseAddress
            run()
          }
        }
      }
    }
  }
}

/// The values that an attention reads, and where its gradients go.
struct AttentionOperands {
  struct Table {
    var value: UnsafePointer<Float>?
    var gradient: Floats?
    var columns: Int

    init(value: UnsafePointer<Float>?, gradient: Floats?, columns: Int) {
      (self.value, self.gradient, self.columns) = (value, gradient, columns)
    }
  }

  var queries: UnsafePointer<Float>?
  var queryColumns: Int
  var sources: [ptk_key_values] = []
  /// The tables of the terms, by their numbers among the inputs.
  var tables: [Int: Table] = [:]

  init(queries: UnsafePointer<Float>?, queryColumns: Int) {
    (self.queries, self.queryColumns) = (queries, queryColumns)
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
