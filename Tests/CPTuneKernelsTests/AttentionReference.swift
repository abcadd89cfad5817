import CPTuneKernels
import PTuneLibc

/// Floats at a fixed address, for the pointers inside the C structures.
final class Block {
  let floats: UnsafeMutableBufferPointer<Float>

  init(_ values: [Float]) {
    floats = .allocate(capacity: values.count)
    _ = floats.initialize(from: values)
  }

  deinit { floats.deallocate() }

  var array: [Float] { Array(floats) }
}

/// One call of segment attention, with random numbers in all its operands.
struct AttentionCase {
  var heads = 1
  var kvHeads = 1
  var headSize = 4
  var scale: Float = 0.5
  /// Rows of each source.
  var sources: [Int]
  /// Of each segment: how many queries, and the ranges (source, begin, count) they see.
  var segments: [(queries: Int, ranges: [(Int, Int, Int)])]
  /// How many keys each query sees.
  var visible: [Int]?
  /// The sources whose gradients are not wanted.
  var frozen: Set<Int> = []
  /// Whether the queries' gradients are wanted.
  var trainsQueries = true

  var rows: Int { segments.reduce(0) { $0 + $1.queries } }
  var width: Int { heads * headSize }
  var kvWidth: Int { kvHeads * headSize }

  /// The operands in one array: queries, then each source's keys and values.
  func randomOperands(seed: Int) -> [Float] {
    var numbers = Numbers(seed: seed)
    return numbers.floats(rows * width + 2 * sources.reduce(0, +) * kvWidth)
  }

  /// Where the keys of a source begin in the operands.
  func keysBegin(_ source: Int) -> Int { rows * width + 2 * sources[..<source].reduce(0, +) * kvWidth }
  func valuesBegin(_ source: Int) -> Int { keysBegin(source) + sources[source] * kvWidth }

  /// The operands whose gradients are wanted.
  var trainable: [Int] {
    let queries = trainsQueries ? Array(0..<rows * width) : []
    return sources.indices.filter { !frozen.contains($0) }.reduce(into: queries) {
      $0 += keysBegin($1)..<valuesBegin($1) + sources[$1] * kvWidth
    }
  }

  /// The output [rows, width] and log sums [heads, rows], written out.
  func reference(_ operands: [Double]) -> (out: [Double], logSums: [Double]) {
    var out = [Double](repeating: 0, count: rows * width)
    var logSums = [Double](repeating: 0, count: heads * rows)
    var row = 0
    for segment in segments {
      let keys = segment.ranges.flatMap { range in (0..<range.2).map { (range.0, range.1 + $0) } }
      for query in row..<row + segment.queries {
        for head in 0..<heads {
          let column = head / (heads / kvHeads) * headSize
          let seen = keys.prefix(visible?[query] ?? keys.count)
          let from = query * width + head * headSize
          let scores = seen.map { source, position in
            let key = keysBegin(source) + position * kvWidth + column
            var score = 0.0
            for j in 0..<headSize { score += operands[from + j] * operands[key + j] }
            return score * Double(scale)
          }
          let sum = scores.reduce(0) { $0 + exp($1) }
          logSums[head * rows + query] = log(sum)
          for ((source, position), score) in zip(seen, scores) {
            let probability = exp(score) / sum, value = valuesBegin(source) + position * kvWidth + column
            for j in 0..<headSize { out[from + j] += probability * operands[value + j] }
          }
        }
      }
      row += segment.queries
    }
    return (out, logSums)
  }

  /// Runs the kernels, one key-value head a call; the gradients are in the order of the operands, and `before` was in
  /// those of the sources. Rows lie `padding` apart.
  func run(_ operands: [Float], outGradients: [Float], before: Float, padding: Int)
    -> (out: [Float], logSums: [Float], gradients: [Float])
  {
    func wide(_ values: ArraySlice<Float>, _ columns: Int) -> [Float] {
      let values = Array(values)
      return stride(from: 0, to: values.count, by: columns).flatMap {
        values[$0..<$0 + columns] + [Float](repeating: .nan, count: padding)
      }
    }
    func narrow(_ values: [Float], _ columns: Int) -> [Float] {
      stride(from: 0, to: values.count, by: columns + padding).flatMap { values[$0..<$0 + columns] }
    }
    let queries = wide(operands[..<(rows * width)], width)
    var blocks: [(keys: Block, values: Block, keyGradients: Block, valueGradients: Block)] = []
    for (source, count) in sources.enumerated() {
      let keys = operands[keysBegin(source)..<valuesBegin(source)]
      let values = operands[valuesBegin(source)..<valuesBegin(source) + count * kvWidth]
      let gradients = [Float](repeating: before, count: count * (kvWidth + padding))
      blocks.append(
        (Block(wide(keys, kvWidth)), Block(wide(values, kvWidth)), Block(gradients), Block(gradients)))
    }
    let keyValues = blocks.enumerated().map { source, block in
      let wanted = !frozen.contains(source)
      return ptk_key_values(
        keys: block.keys.floats.baseAddress, values: block.values.floats.baseAddress,
        key_gradients: wanted ? block.keyGradients.floats.baseAddress : nil,
        value_gradients: wanted ? block.valueGradients.floats.baseAddress : nil, stride: kvWidth + padding)
    }
    var ranges: [ptk_range] = []
    var cSegments: [ptk_segment] = []
    var row = 0
    for segment in segments {
      cSegments.append(
        ptk_segment(
          query_begin: Int32(row), query_count: Int32(segment.queries), range_begin: Int32(ranges.count),
          range_count: Int32(segment.ranges.count)))
      ranges += segment.ranges.map { ptk_range(source: Int32($0.0), begin: Int32($0.1), count: Int32($0.2)) }
      row += segment.queries
    }
    var out = wide([Float](repeating: .nan, count: rows * width)[...], width)
    let queryRows = Block(trainsQueries ? out : [Float](repeating: 0, count: out.count))
    var logSums = [Float](repeating: .nan, count: heads * rows)
    let wideGradients = wide(outGradients[...], width)
    queries.withUnsafeBufferPointer { queries in
      keyValues.withUnsafeBufferPointer { keyValues in
        ranges.withUnsafeBufferPointer { ranges in
          cSegments.withUnsafeBufferPointer { cSegments in
            (visible ?? []).map(Int32.init).withUnsafeBufferPointer { counts in
              var attention = ptk_attention(
                heads: heads, kv_heads: kvHeads, head_size: headSize, scale: scale,
                queries: queries.baseAddress,
                query_stride: width + padding, sources: keyValues.baseAddress, ranges: ranges.baseAddress,
                segments: cSegments.baseAddress, segment_count: cSegments.count,
                visible: visible == nil ? nil : counts.baseAddress)
              for head in 0..<kvHeads {
                ptk_attention_forward(&attention, rows, head, head + 1, &out, width + padding, &logSums)
              }
              for head in 0..<kvHeads {
                ptk_attention_backward(
                  &attention, rows, head, head + 1, out, wideGradients, width + padding, logSums,
                  trainsQueries ? queryRows.floats.baseAddress : nil, width + padding)
              }
            }
          }
        }
      }
    }
    let gradients = blocks.flatMap { block in
      (narrow(block.keyGradients.array, kvWidth) + narrow(block.valueGradients.array, kvWidth)).map {
        $0 - before
      }
    }
    return (narrow(out, width), logSums, narrow(queryRows.array, width) + gradients)
  }
}
