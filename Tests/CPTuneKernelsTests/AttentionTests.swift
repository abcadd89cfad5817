import CPTuneKernels
import Testing

private let cases: [(name: String, attention: AttentionCase)] = [
  ("one query, one key", AttentionCase(headSize: 1, sources: [1], segments: [(1, [(0, 0, 1)])])),
  ("odd sizes", AttentionCase(heads: 2, kvHeads: 2, headSize: 7, sources: [5], segments: [(3, [(0, 0, 5)])])),
  (
    "a prefix shared by all segments, then each one's own keys",
    AttentionCase(
      heads: 3, kvHeads: 3, headSize: 5, sources: [6, 12],
      segments: [(5, [(0, 0, 6), (1, 0, 5)]), (4, [(0, 0, 6), (1, 5, 4)]), (3, [(0, 0, 6), (1, 9, 3)])])
  ),
  (
    "grouped queries",
    AttentionCase(
      heads: 6, kvHeads: 2, headSize: 16, sources: [33], segments: [(17, [(0, 0, 17)]), (16, [(0, 17, 16)])])
  ),
  (
    "causal",
    AttentionCase(
      heads: 2, kvHeads: 1, headSize: 8, sources: [40], segments: [(40, [(0, 0, 40)])], visible: Array(1...40)
    )
  ),
  (
    "causal behind a prefix, and the same rows twice",
    AttentionCase(
      heads: 1, kvHeads: 1, headSize: 3, sources: [4, 9], segments: [(9, [(0, 0, 4), (1, 0, 9), (0, 1, 2)])],
      visible: [5, 6, 7, 8, 9, 10, 11, 12, 15])
  ),
  (
    "a frozen source",
    AttentionCase(
      heads: 1, headSize: 4, sources: [3, 5], segments: [(5, [(0, 0, 3), (1, 0, 5)])], frozen: [0])
  ),
  ("many queries", AttentionCase(headSize: 2, sources: [7], segments: [(150, [(0, 0, 7)])])),
  (
    "many keys",
    AttentionCase(
      headSize: 1, sources: [570, 65], segments: [(33, [(1, 0, 65), (0, 0, 570)])],
      visible: (0..<33).map { 603 + $0 })
  ),
  ("whole vectors", AttentionCase(headSize: 64, sources: [32], segments: [(17, [(0, 0, 32)])])),
  (
    "a trained prefix before frozen rows, with frozen queries",
    AttentionCase(
      heads: 2, kvHeads: 2, headSize: 16, sources: [5, 14],
      segments: [(6, [(0, 0, 5), (1, 0, 6)]), (8, [(0, 0, 5), (1, 6, 8)])], frozen: [1], trainsQueries: false)
  ),
  (
    "the same, causal and not in whole vectors",
    AttentionCase(
      heads: 2, kvHeads: 1, headSize: 6, sources: [5, 9], segments: [(9, [(0, 0, 5), (1, 0, 9)])],
      visible: Array(6...14), frozen: [1], trainsQueries: false)
  ),
  (
    "a frozen prefix before trained rows",
    AttentionCase(
      heads: 2, kvHeads: 1, headSize: 16, sources: [18, 7], segments: [(7, [(0, 0, 18), (1, 0, 7)])],
      frozen: [0])
  ),
  (
    "causal behind a prefix, in whole vectors",
    AttentionCase(
      heads: 2, kvHeads: 1, headSize: 16, sources: [5, 35], segments: [(35, [(0, 0, 5), (1, 0, 35)])],
      visible: Array(6...40))
  ),
  (
    "counts in no order",
    AttentionCase(
      headSize: 32, sources: [50], segments: [(26, [(0, 0, 50)])], visible: (0..<26).map { 1 + $0 * 17 % 50 })
  ),
  (
    "many ranges",
    AttentionCase(
      headSize: 16, sources: [9, 4],
      segments: [(3, (0..<9).map { (0, $0, 1) } + [(1, 0, 4), (1, 2, 0), (0, 3, 2)])])
  ),
  (
    "an empty range",
    AttentionCase(
      headSize: 16, sources: [6, 4], segments: [(3, [(0, 0, 0), (1, 0, 4), (0, 2, 0)]), (2, [(0, 0, 6)])])
  ),
  ("one query of many keys", AttentionCase(headSize: 20, sources: [40], segments: [(1, [(0, 0, 40)])])),
  (
    "equal scores",
    AttentionCase(headSize: 16, scale: 0, sources: [19], segments: [(18, [(0, 0, 19)])])
  ),
]

@Suite("Segment attention", .serialized)
struct AttentionTests {
  @Test("every instruction set gives the output, the log sums and the gradients of attention written out")
  func all() {
    let best = String(cString: ptk_kernel_variant())
    defer { _ = ptk_use_kernel_variant(best) }
    for (index, (name, attention)) in cases.enumerated() {
      let operands = attention.randomOperands(seed: index)
      var numbers = Numbers(seed: 100 + index)
      let outGradients = numbers.floats(attention.rows * attention.width)
      let expected = attention.reference(operands.doubles)
      for variant in ["baseline", "neon", "avx2", "avx512", "avx512_bf16"]
      where ptk_use_kernel_variant(variant) {
        let what = "\(name), \(variant)"
        let result = attention.run(operands, outGradients: outGradients, before: 2, padding: index % 2 * 3)
        expectClose(result.out, expected.out, tolerance: 2e-6, "\(what): out")
        expectClose(result.logSums, expected.logSums, tolerance: 2e-6, "\(what): log sums")
        let again = attention.run(operands, outGradients: outGradients, before: 2, padding: index % 2 * 3)
        #expect(
          again.out == result.out && again.gradients == result.gradients, "\(what): the same bits again")
        guard variant == best else { continue }
        let free = attention.trainable
        #expect(
          result.gradients.indices.allSatisfy { free.contains($0) || result.gradients[$0] == 0 }, "\(what)")
        var point = operands.doubles
        expectGradient(free.map { result.gradients[$0] }, at: free.map { point[$0] }, "\(what): gradients") {
          for (index, value) in zip(free, $0) { point[index] = value }
          return zip(attention.reference(point).out, outGradients).reduce(0) { $0 + $1.0 * Double($1.1) }
        }
      }
    }
  }

  @Test("the instruction sets agree on the gradients")
  func agreement() {
    let best = String(cString: ptk_kernel_variant())
    defer { _ = ptk_use_kernel_variant(best) }
    for (index, (name, attention)) in cases.enumerated() {
      let operands = attention.randomOperands(seed: index)
      var numbers = Numbers(seed: 200 + index)
      let outGradients = numbers.floats(attention.rows * attention.width)
      #expect(ptk_use_kernel_variant(best))
      let expected = attention.run(operands, outGradients: outGradients, before: 0, padding: 1).gradients
        .doubles
      for variant in ["baseline", "avx2", "avx512"] where ptk_use_kernel_variant(variant) {
        let result = attention.run(operands, outGradients: outGradients, before: 0, padding: 1)
        expectClose(result.gradients, expected, tolerance: 5e-6, "\(name), \(variant)")
      }
    }
  }
}
