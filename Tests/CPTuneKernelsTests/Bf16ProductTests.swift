import CPTuneKernels
import Testing

private let variants = ["baseline", "neon", "avx2", "avx512", "avx512_bf16"]

/// The nearest bf16 number, the even one of two that are as near.
private func rounded(_ value: Float) -> Float {
  let bits = value.bitPattern
  return Float(bitPattern: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) & 0xffff_0000)
}

/// a [m, k] · b [k, n] (+ bias) in double precision.
private func product(_ m: Int, _ n: Int, _ k: Int, _ a: [Float], _ b: [Float], bias: [Float]?) -> [Double] {
  (0..<m * n).map { place in
    let (i, j) = (place / n, place % n)
    return (0..<k).reduce(Double(bias?[j] ?? 0)) { $0 + Double(a[i * k + $1]) * Double(b[$1 * n + j]) }
  }
}

@Suite("Products in bf16", .serialized)
struct Bf16ProductTests {
  private let sizes = [
    (1, 1, 1), (7, 17, 5), (13, 33, 300), (250, 9, 16), (12, 520, 3), (129, 48, 64), (14, 40, 801),
  ]

  /// Packs b, or its transpose with rows further apart, and multiplies rows of a that are further apart as well.
  private func multiplied(
    by backend: ptk_backend, _ m: Int, _ n: Int, _ k: Int, _ a: [Float], _ b: [Float], bias: [Float]?,
    transposed: Bool
  ) -> [Float] {
    let (rows, columns) = transposed ? (n, k) : (k, n)
    var source = [Float](repeating: .nan, count: rows * (columns + 2))
    for row in 0..<rows {
      for column in 0..<columns {
        source[row * (columns + 2) + column] = transposed ? b[column * n + row] : b[row * n + column]
      }
    }
    var wide = [Float](repeating: .nan, count: m * (k + 3))
    for row in 0..<m {
      wide.replaceSubrange(row * (k + 3)..<row * (k + 3) + k, with: a[row * k..<(row + 1) * k])
    }
    let packed = ptk_pack_with(backend, source, columns + 2, k, n, transposed, PTK_BF16)
    defer { ptk_packed_free(packed) }
    #expect(packed != nil)
    var c = [Float](repeating: .nan, count: m * (n + 1))
    ptk_gemm_packed(packed, m, wide, k + 3, bias, &c, n + 1)
    if bias == nil {
      var sum = [Float](repeating: 1, count: m * (n + 1))
      ptk_gemm_packed_add(packed, m, wide, k + 3, &sum, n + 1)
      for row in 0..<m {
        let places = row * (n + 1)..<row * (n + 1) + n
        expectClose(sum[places].map { $0 - 1 }, c[places].map(Double.init), tolerance: 1e-5, "added")
      }
    }
    return (0..<m).flatMap { c[$0 * (n + 1)..<$0 * (n + 1) + n] }
  }

  @Test("every instruction set and oneDNN add up the products of the rounded factors in single precision")
  func products() {
    let best = String(cString: ptk_kernel_variant())
    defer { _ = ptk_use_kernel_variant(best) }
    for (index, (m, n, k)) in sizes.enumerated() {
      var numbers = Numbers(seed: 70 + index)
      let a = numbers.floats(m * k), b = numbers.floats(k * n)
      let bias = index % 2 == 0 ? numbers.floats(n) : nil
      let expected = product(m, n, k, a.map(rounded), b.map(rounded), bias: bias)
      for transposed in [false, true] {
        for variant in variants where ptk_use_kernel_variant(variant) {
          expectClose(
            multiplied(by: PTK_PORTABLE, m, n, k, a, b, bias: bias, transposed: transposed), expected,
            tolerance: 2e-5, "\(variant), \(m)×\(k)·\(k)×\(n)")
        }
        guard ptk_use_kernel_variant(best), ptk_has_bf16(), ptk_backend_is_available(PTK_ONEDNN) else {
          continue
        }
        expectClose(
          multiplied(by: PTK_ONEDNN, m, n, k, a, b, bias: bias, transposed: transposed), expected,
          tolerance: 2e-5, "oneDNN, \(m)×\(k)·\(k)×\(n)")
      }
    }
  }

  @Test("what rounding loses is at most a 256th of each factor")
  func loss() {
    let (m, n, k) = (9, 40, 96)
    var numbers = Numbers(seed: 3)
    let a = numbers.floats(m * k), b = numbers.floats(k * n)
    let packed = ptk_pack(b, n, k, n, false, PTK_BF16)
    defer { ptk_packed_free(packed) }
    var c = [Float](repeating: .nan, count: m * n)
    ptk_gemm_packed(packed, m, a, k, nil, &c, n)
    let exact = product(m, n, k, a, b, bias: nil)
    let sizes = product(m, n, k, a.map(abs), b.map(abs), bias: nil)
    for (place, value) in c.enumerated() {
      #expect(abs(Double(value) - exact[place]) <= sizes[place] * (2.0 / 256 + 1e-4))
    }
    #expect(zip(c, exact).contains { abs(Double($0) - $1) > 1e-4 }, "nothing was rounded")
  }

  @Test("rounding takes the even one of two numbers that are as near, and keeps what is no number")
  func rounding() {
    let best = String(cString: ptk_kernel_variant())
    defer { _ = ptk_use_kernel_variant(best) }
    let cases: [(Float, Float)] = [
      (1, 1), (1 + 0x1p-8, 1), (1 + 0x1p-8 + 0x1p-20, 1 + 0x1p-7), (1 + 3 * 0x1p-8, 1 + 0x1p-6),
      (-3.14159, -3.140625), (.greatestFiniteMagnitude, .infinity), (-.infinity, -.infinity), (0, 0),
    ]
    for variant in variants where ptk_use_kernel_variant(variant) {
      // 32 at once, so that vector instructions round, and one alone.
      for width in [64, 1] {
        for (value, expected) in cases {
          let packed = ptk_pack_with(
            PTK_PORTABLE, [1] + [Float](repeating: 0, count: width - 1), 1, width, 1, false, PTK_BF16)
          defer { ptk_packed_free(packed) }
          var c: [Float] = [0]
          ptk_gemm_packed(
            packed, 1, [value] + [Float](repeating: 0, count: width - 1), width, nil, &c, 1)
          #expect(c[0] == expected, "\(variant): \(value)")
        }
        let packed = ptk_pack_with(
          PTK_PORTABLE, [Float](repeating: 1, count: width), 1, width, 1, false, PTK_BF16)
        defer { ptk_packed_free(packed) }
        var c: [Float] = [0]
        ptk_gemm_packed(
          packed, 1, [Float(bitPattern: 0x7f80_0001)] + [Float](repeating: 0, count: width - 1),
          width, nil, &c, 1)
        #expect(c[0].isNaN, "\(variant)")
      }
    }
  }

  @Test(
    "a CBLAS has no products in bf16, and the kernels say whether the processor has instructions for them")
  func support() {
    let best = String(cString: ptk_kernel_variant())
    defer { _ = ptk_use_kernel_variant(best) }
    #expect(ptk_pack_with(PTK_CBLAS, [1], 1, 1, 1, false, PTK_BF16) == nil)
    #expect(ptk_has_bf16() == (best == "avx512_bf16"))
    #expect(ptk_use_kernel_variant("baseline") || ptk_use_kernel_variant("neon"))
    #expect(!ptk_has_bf16())
    #expect(String(cString: ptk_bf16_description()).hasPrefix("built-in kernels ("))
  }
}
