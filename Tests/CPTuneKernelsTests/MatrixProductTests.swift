import CPTuneKernels
import Testing

private let backends = [PTK_ONEDNN, PTK_CBLAS, PTK_PORTABLE].filter(ptk_backend_is_available)
private let sizes = [1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 64, 65, 100]

/// alpha·op(a)·op(b) + beta·c of dense matrices.
private func product(
  _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, alpha: Double = 1, _ a: [Float],
  _ b: [Float], beta: Double = 0, _ c: [Float] = []
) -> [Double] {
  var result = [Double](repeating: 0, count: m * n)
  for i in 0..<m {
    for j in 0..<n {
      var sum = 0.0
      for p in 0..<k {
        sum +=
          Double(transposeA ? a[p * m + i] : a[i * k + p]) * Double(transposeB ? b[j * k + p] : b[p * n + j])
      }
      result[i * n + j] = alpha * sum + (beta == 0 ? 0 : beta * Double(c[i * n + j]))
    }
  }
  return result
}

/// A dense matrix spread over rows `stride` apart; what lies between is NaN, so that nothing may read it.
private func spread(_ matrix: [Float], rows: Int, columns: Int, stride: Int) -> [Float] {
  var result = [Float](repeating: .nan, count: rows * stride)
  for i in 0..<rows {
    result.replaceSubrange(i * stride..<i * stride + columns, with: matrix[i * columns..<(i + 1) * columns])
  }
  return result
}

private func gathered(_ matrix: [Float], rows: Int, columns: Int, stride: Int) -> [Float] {
  (0..<rows).flatMap { matrix[$0 * stride..<$0 * stride + columns] }
}

@Suite("Matrix products")
struct MatrixProductTests {
  @Test("every backend agrees with the sums written out, for all transpositions and factors")
  func gemm() {
    for (index, m) in sizes.enumerated() {
      let n = sizes[(index + 5) % sizes.count]
      let k = sizes[(index + 9) % sizes.count]
      for transposition in 0..<4 {
        let (transposeA, transposeB) = (transposition & 1 != 0, transposition & 2 != 0)
        var numbers = Numbers(seed: index * 4 + transposition)
        let a = numbers.floats(m * k), b = numbers.floats(k * n), c = numbers.floats(m * n)
        let (alpha, beta): (Float, Float) = [(1, 0), (0.5, 1), (-2, 0.25), (1, -1)][transposition]
        let expected = product(
          transposeA, transposeB, m, n, k, alpha: Double(alpha), a, b, beta: Double(beta), c)
        let (aRows, aColumns) = transposeA ? (k, m) : (m, k)
        let (bRows, bColumns) = transposeB ? (n, k) : (k, n)
        for padding in [0, 3] {
          let wideA = spread(a, rows: aRows, columns: aColumns, stride: aColumns + padding)
          let wideB = spread(b, rows: bRows, columns: bColumns, stride: bColumns + padding)
          for backend in backends {
            var result = spread(c, rows: m, columns: n, stride: n + padding)
            #expect(
              ptk_gemm_with(
                backend, transposeA, transposeB, m, n, k, alpha, wideA, aColumns + padding, wideB,
                bColumns + padding, beta, &result, n + padding))
            expectClose(
              gathered(result, rows: m, columns: n, stride: n + padding), expected, tolerance: 1e-5,
              "backend \(backend.rawValue), \(m)×\(k)·\(k)×\(n)")
          }
        }
      }
    }
  }

  @Test("every backend multiplies by a packed matrix, with and without a bias, for any number of rows")
  func packed() {
    for (k, n) in [(1, 1), (5, 3), (17, 16), (7, 65), (65, 9)] {
      var numbers = Numbers(seed: k * 1000 + n)
      let most = 300
      let weight = numbers.floats(k * n), bias = numbers.floats(n), a = numbers.floats(most * k)
      for transposed in [false, true] {
        let stride = (transposed ? k : n) + 2
        let wide = spread(weight, rows: transposed ? n : k, columns: stride - 2, stride: stride)
        let plain = product(false, transposed, most, n, k, a, weight)
        let biased = plain.enumerated().map { $1 + Double(bias[$0 % n]) }
        for backend in backends {
          let matrix = ptk_pack_with(backend, wide, stride, k, n, transposed, PTK_F32)
          defer { ptk_packed_free(matrix) }
          #expect(ptk_packed_bytes(matrix) > 0)
          for (index, m) in (sizes + [128, 129, 200, most]).enumerated() {
            let padding = m % 3
            let wideA = spread(a, rows: m, columns: k, stride: k + padding)
            let withBias = index % 2 == 0
            var c = [Float](repeating: .nan, count: m * (n + padding))
            ptk_gemm_packed(matrix, m, wideA, k + padding, withBias ? bias : nil, &c, n + padding)
            expectClose(
              gathered(c, rows: m, columns: n, stride: n + padding),
              Array((withBias ? biased : plain)[..<(m * n)]), tolerance: 1e-5,
              "backend \(backend.rawValue), \(m)×\(k)·\(k)×\(n), bias \(withBias)")
            let before = numbers.floats(m * n)
            var sum = spread(before, rows: m, columns: n, stride: n + padding)
            ptk_gemm_packed_add(matrix, m, wideA, k + padding, &sum, n + padding)
            expectClose(
              gathered(sum, rows: m, columns: n, stride: n + padding),
              zip(plain, before).map { $0 + Double($1) }, tolerance: 1e-5,
              "backend \(backend.rawValue), \(m)×\(k)·\(k)×\(n), added")
          }
        }
      }
    }
  }

  @Test(
    "a matrix packed for both ways serves its transpose as well, for every instruction set and any number of rows"
  )
  func bothWays() {
    let best = String(cString: ptk_kernel_variant())
    defer { _ = ptk_use_kernel_variant(best) }
    for name in ["baseline", "neon", "avx2", "avx512", "avx512_bf16"] where ptk_use_kernel_variant(name) {
      for (k, n) in [(1, 1), (5, 3), (17, 16), (40, 65), (13, 1100)] {
        var numbers = Numbers(seed: k * 1000 + n)
        let most = n > 1000 ? 40 : 600
        let weight = numbers.floats(k * n), a = numbers.floats(most * n)
        let expected = product(false, true, most, k, n, a, weight)
        for transposed in [false, true] {
          // Rows of k numbers where it is packed transposed.
          let stored =
            transposed ? (0..<n).flatMap { j in (0..<k).map { weight[$0 * n + j] } } : weight
          let stride = (transposed ? k : n) + 2
          let wide = spread(stored, rows: transposed ? n : k, columns: stride - 2, stride: stride)
          let matrix = ptk_pack_both_ways(wide, stride, k, n, transposed)
          defer { ptk_packed_free(matrix) }
          for m in (sizes + [513, most]).filter({ $0 <= most }) {
            let padding = m % 3
            let wideA = spread(a, rows: m, columns: n, stride: n + padding)
            var c = [Float](repeating: .nan, count: m * (k + padding))
            ptk_gemm_packed_transposed(matrix, m, wideA, n + padding, false, &c, k + padding)
            expectClose(
              gathered(c, rows: m, columns: k, stride: k + padding), Array(expected[..<(m * k)]),
              tolerance: 2e-5, "\(name), \(m)×\(n)·(\(k)×\(n))ᵀ, transposed \(transposed)")
            var sum = [Float](repeating: 1, count: m * (k + padding))
            ptk_gemm_packed_transposed(matrix, m, wideA, n + padding, true, &sum, k + padding)
            expectClose(
              gathered(sum, rows: m, columns: k, stride: k + padding), expected[..<(m * k)].map { $0 + 1 },
              tolerance: 2e-5, "\(name), \(m)×\(n)·(\(k)×\(n))ᵀ, added")
          }
        }
      }
    }
  }

  @Test("products of nothing leave beta·c, or the bias")
  func empty() {
    for backend in backends {
      var c: [Float] = [1, 2, 3, 4]
      #expect(ptk_gemm_with(backend, false, false, 2, 2, 0, 1, [], 1, [], 2, 0.5, &c, 2))
      #expect(c == [0.5, 1, 1.5, 2])
      let matrix = ptk_pack_with(backend, [], 2, 0, 2, false, PTK_F32)
      defer { ptk_packed_free(matrix) }
      ptk_gemm_packed(matrix, 2, [], 1, [7, 8], &c, 2)
      #expect(c == [7, 8, 7, 8])
      ptk_gemm_packed_add(matrix, 2, [], 1, &c, 2)
      #expect(c == [7, 8, 7, 8])
    }
    let matrix = ptk_pack_both_ways([], 0, 2, 0, false)
    defer { ptk_packed_free(matrix) }
    var c: [Float] = [1, 2, 3, 4]
    ptk_gemm_packed_transposed(matrix, 2, [], 0, false, &c, 2)
    #expect(c == [0, 0, 0, 0])
    c = [1, 2, 3, 4]
    ptk_gemm_packed_transposed(matrix, 2, [], 0, true, &c, 2)
    #expect(c == [1, 2, 3, 4])
  }

  @Test("threads share a packed matrix and get the same bits as one thread")
  func threads() async {
    var numbers = Numbers(seed: 3)
    let (m, n, k) = (100, 65, 33)
    let weight = numbers.floats(k * n), a = numbers.floats(m * k)
    for backend in backends {
      let matrix = Shared(value: ptk_pack_with(backend, weight, n, k, n, false, PTK_F32))
      defer { ptk_packed_free(matrix.value) }
      let results = await withTaskGroup(of: [Float].self) { group in
        for _ in 0..<8 {
          group.addTask {
            var c = [Float](repeating: 0, count: m * n)
            for rows in [1, 31, 64, m] { ptk_gemm_packed(matrix.value, rows, a, k, nil, &c, n) }
            return c
          }
        }
        return await group.reduce(into: [[Float]]()) { $0.append($1) }
      }
      #expect(Set(results).count == 1)
    }
  }

  @Test("the kernels for every instruction set here agree with the sums written out")
  func variants() {
    let best = String(cString: ptk_kernel_variant())
    defer { _ = ptk_use_kernel_variant(best) }
    for name in ["baseline", "neon", "avx2", "avx512", "avx512_bf16"] where ptk_use_kernel_variant(name) {
      for (m, n, k) in [(1, 1, 1), (7, 17, 5), (13, 33, 300), (250, 9, 16), (12, 520, 3)] {
        var numbers = Numbers(seed: m)
        let a = numbers.floats(m * k), b = numbers.floats(k * n)
        var c = [Float](repeating: .nan, count: m * n)
        let matrix = ptk_pack_with(PTK_PORTABLE, b, n, k, n, false, PTK_F32)
        defer { ptk_packed_free(matrix) }
        ptk_gemm_packed(matrix, m, a, k, nil, &c, n)
        let expected = product(false, false, m, n, k, a, b)
        expectClose(c, expected, tolerance: 2e-5, "\(name) packed, \(m)×\(k)·\(k)×\(n)")
        #expect(ptk_gemm_with(PTK_PORTABLE, false, false, m, n, k, 1, a, k, b, n, 0, &c, n))
        expectClose(c, expected, tolerance: 2e-5, "\(name), \(m)×\(k)·\(k)×\(n)")
      }
    }
    #expect(!ptk_use_kernel_variant("no such"))
  }

  @Test("the choice of a backend is for the whole process, and is described")
  func choice() {
    #expect(ptk_choose_backend(PTK_AUTOMATIC))
    let chosen = ptk_chosen_backend()
    #expect(chosen == backends.first)
    #expect(ptk_choose_backend(chosen))
    #expect(!ptk_choose_backend(chosen == PTK_PORTABLE ? PTK_CBLAS : PTK_PORTABLE))
    #expect(String(cString: ptk_backend_description(PTK_PORTABLE)).hasPrefix("built-in kernels ("))
    #expect(String(cString: ptk_backend_description(chosen)) != "not found")
    var c: [Float] = [0]
    ptk_gemm(false, false, 1, 1, 2, 1, [2, 3], 2, [5, 7], 1, 0, &c, 1)
    #expect(c == [31])
  }
}

/// A C pointer whose target many threads may read at once, as ptk_gemm_packed promises.
private struct Shared: @unchecked Sendable {
  let value: OpaquePointer?
}
