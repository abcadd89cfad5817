import CPTuneKernels
import PTuneFormats

/// How fast one operator is at one size.
struct OperatorFigure {
  let name: String
  /// "m 416, k 768, n 3072", say.
  let size: String
  /// The median of several calls.
  let seconds: Double
  /// What `unit` says.
  let rate: Double
  let unit: String
  /// Whether its factors are rounded to bf16.
  var isReduced = false

  static let products = "GFLOP/s"
  static let bytes = "GB/s"

  var json: JSONValue {
    [
      "operator": .string(name), "size": .string(size), "seconds": .double(seconds), "rate": .double(rate),
      "unit": .string(unit),
    ]
  }
}

/// Measures kernels alone, on threads of its own, as the engine splits them: rows of products and of norms, heads of
/// attentions.
final class OperatorBenchmark {
  let threads: Int
  private let pool: OpaquePointer?

  init(threads: Int) {
    pool = ptk_pool_create(threads)
    self.threads = pool == nil ? 1 : threads
  }

  deinit { ptk_pool_destroy(pool) }

  // MARK: - Matrix products

  /// x·W for the weights of encoders of the hidden sizes 384 and 768, at several numbers of rows.
  func products(quick: Bool) -> [OperatorFigure] {
    let backends: [(String, ptk_backend)] = [
      ("oneDNN", PTK_ONEDNN), ("CBLAS", PTK_CBLAS), ("portable", PTK_PORTABLE),
    ]
    let weights = quick ? [(768, 3072)] : [(384, 384), (384, 1536), (768, 768), (768, 3072), (3072, 768)]
    let rows = quick ? [16, 416, 2048] : [16, 64, 416, 1088, 4096]
    return backends.filter { ptk_backend_is_available($0.1) }.flatMap { name, backend in
      [("packed", PTK_F32), ("packed, bf16", PTK_BF16)].flatMap { form, precision in
        weights.flatMap { k, n in
          rows.compactMap { product("\(name) \(form)", backend, precision, m: $0, k: k, n: n) }
        }
      }
    }
  }

  private func product(
    _ name: String, _ backend: ptk_backend, _ precision: ptk_precision, m: Int, k: Int, n: Int
  ) -> OperatorFigure? {
    let (a, b, c) = (Buffer(m * k), Buffer(k * n), Buffer(m * n))
    guard let packed = ptk_pack_with(backend, b.values, k, k, n, true, precision) else { return nil }
    defer { ptk_packed_free(packed) }
    let seconds = median { [self] in
      split(m, grain: 8) { rows in
        ptk_gemm_packed(
          packed, rows.count, a.values + rows.lowerBound * k, k, nil, c.values + rows.lowerBound * n, n)
      }
    }
    return OperatorFigure(
      name: name, size: "m \(m), k \(k), n \(n)", seconds: seconds,
      rate: 2 * Double(m * k * n) / seconds * 1e-9, unit: OperatorFigure.products,
      isReduced: precision == PTK_BF16)
  }

  // MARK: - Attention

  /// 16 sequences of equal length with 12 heads, forward and backward.
  func attention(quick: Bool) -> [OperatorFigure] {
    (quick ? [32] : [32, 64]).flatMap { size in
      (quick ? [32] : [32, 64, 128, 276]).flatMap { attention(length: $0, headSize: size) }
    }
  }

  private func attention(length: Int, headSize: Int) -> [OperatorFigure] {
    let (sequences, heads) = (16, 12)
    let (rows, columns) = (sequences * length, heads * headSize)
    let buffers = (0..<8).map { _ in Buffer(rows * columns) }
    let logSums = Buffer(heads * rows)
    let sources = [
      ptk_key_values(
        keys: buffers[1].values, values: buffers[2].values, key_gradients: buffers[3].values,
        value_gradients: buffers[4].values, stride: columns)
    ]
    let ranges = (0..<sequences).map {
      ptk_range(source: 0, begin: Int32($0 * length), count: Int32(length))
    }
    let segments = (0..<sequences).map {
      ptk_segment(
        query_begin: Int32($0 * length), query_count: Int32(length), range_begin: Int32($0), range_count: 1)
    }
    return sources.withUnsafeBufferPointer { sources in
      ranges.withUnsafeBufferPointer { ranges in
        segments.withUnsafeBufferPointer { segments in
          var attention = ptk_attention(
            heads: heads, kv_heads: heads, head_size: headSize, scale: 1 / Float(headSize).squareRoot(),
            queries: buffers[0].values, query_stride: columns, sources: sources.baseAddress,
            ranges: ranges.baseAddress, segments: segments.baseAddress, segment_count: segments.count,
            visible: nil)
          return withUnsafePointer(to: &attention) { attention in
            nonisolated(unsafe) let attention = attention
            let forward = median { [self] in
              split(heads) {
                ptk_attention_forward(
                  attention, rows, $0.lowerBound, $0.upperBound, buffers[5].values, columns, logSums.values)
              }
            }
            let backward = median { [self] in
              split(heads) {
                ptk_attention_backward(
                  attention, rows, $0.lowerBound, $0.upperBound, buffers[5].values, buffers[6].values,
                  columns, logSums.values, buffers[7].values, columns)
              }
            }
            let work = 4 * Double(sequences * heads * length * length * headSize)
            let text = "\(sequences) x \(length) rows, \(heads) heads of \(headSize)"
            // The backward pass computes the scores again: five products for two.
            return [("attention forward", forward, work), ("attention backward", backward, 2.5 * work)].map {
              OperatorFigure(
                name: $0, size: text, seconds: $1, rate: $2 / $1 * 1e-9, unit: OperatorFigure.products)
            }
          }
        }
      }
    }
  }

  // MARK: - Rows

  /// Norms and activations of 416 rows; the rate counts each operand once.
  func rowwise() -> [OperatorFigure] {
    let (rows, columns) = (416, 768)
    let (x, y, dy) = (Buffer(rows * columns), Buffer(rows * columns), Buffer(rows * columns))
    let (gain, mean, rstd) = (Buffer(columns), Buffer(rows), Buffer(rows))
    func figure(_ name: String, operands: Int, _ body: @escaping (Range<Int>) -> Void) -> OperatorFigure {
      let seconds = median { [self] in split(rows, body) }
      return OperatorFigure(
        name: name, size: "\(rows) x \(columns)", seconds: seconds,
        rate: Double(operands * rows * columns * 4) / seconds * 1e-9, unit: OperatorFigure.bytes)
    }
    return [
      figure("layer norm forward", operands: 2) { rows in
        let from = rows.lowerBound
        ptk_layer_norm_forward(
          rows.count, columns, x.values + from * columns, gain.values, gain.values, 1e-12,
          y.values + from * columns, mean.values + from, rstd.values + from)
      },
      figure("layer norm backward", operands: 3) { rows in
        let from = rows.lowerBound
        ptk_layer_norm_backward(
          rows.count, columns, x.values + from * columns, gain.values, mean.values + from,
          rstd.values + from, dy.values + from * columns, false, y.values + from * columns, nil, nil)
      },
      figure("gelu forward", operands: 2) { rows in
        let from = rows.lowerBound * columns
        ptk_unary_forward(PTK_GELU, rows.count * columns, x.values + from, y.values + from)
      },
      figure("gelu backward", operands: 3) { rows in
        let from = rows.lowerBound * columns
        ptk_unary_backward(
          PTK_GELU, rows.count * columns, x.values + from, x.values + from, dy.values + from,
          false, y.values + from)
      },
      figure("softmax forward", operands: 2) { rows in
        let from = rows.lowerBound * columns
        ptk_softmax_forward(rows.count, columns, false, x.values + from, y.values + from)
      },
    ]
  }

  // MARK: - Measuring

  /// Numbers of no consequence, small and not all alike.
  private final class Buffer: @unchecked Sendable {
    // @unchecked: threads write parts of their own.
    let values: UnsafeMutablePointer<Float>

    init(_ count: Int) {
      values = .allocate(capacity: count)
      for index in 0..<count { values[index] = Float(index % 251) / 251 - 0.5 }
    }

    deinit { values.deallocate() }
  }

  /// The median of calls over a tenth of a second, after one that does not count.
  private func median(_ body: () -> Void) -> Double {
    body()
    let clock = ContinuousClock()
    var times: [Double] = []
    let begin = clock.now
    repeat {
      let start = clock.now
      body()
      times.append((clock.now - start) / .seconds(1))
    } while times.count < 5 || (clock.now - begin) / .seconds(1) < 0.1
    return times.sorted()[times.count / 2]
  }

  /// Cuts rows, or heads, into a part for each thread.
  private func split(_ count: Int, grain: Int = 1, _ body: @escaping (Range<Int>) -> Void) {
    guard let pool, threads > 1 else { return body(0..<count) }
    let (parts, grains) = (threads, (count + grain - 1) / grain)
    var section = Section { index in
      let lower = min(count, grains * index / parts * grain)
      let upper = min(count, grains * (index + 1) / parts * grain)
      if lower < upper { body(lower..<upper) }
    }
    withUnsafeMutablePointer(to: &section) {
      ptk_pool_run(pool, parts, { $0?.assumingMemoryBound(to: Section.self).pointee.run($1) }, $0)
    }
  }

  private struct Section {
    let run: (Int) -> Void
  }
}
