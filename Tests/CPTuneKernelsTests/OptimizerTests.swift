import CPTuneKernels
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite("Optimiser")
struct OptimizerTests {
  @Test("three AdamW steps are those of the published algorithm")
  func adamW() {
    for count in [1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 64, 65, 100] {
      var numbers = Numbers(seed: count)
      var parameter = numbers.floats(count)
      var first = [Float](repeating: 0, count: count), second = first
      var p = parameter.doubles, m = first.doubles, v = second.doubles
      for step in 1...3 {
        let gradient = numbers.floats(count)
        ptk_adamw(count, &parameter, gradient, &first, &second, 0.01, 0.9, 0.999, 1e-8, 0.1, Int64(step))
        for i in 0..<count {
          let g = Double(gradient[i])
          m[i] = 0.9 * m[i] + 0.1 * g
          v[i] = 0.999 * v[i] + 0.001 * g * g
          let mean = m[i] / (1 - pow(0.9, Double(step))), square = v[i] / (1 - pow(0.999, Double(step)))
          p[i] -= 0.01 * (mean / (square.squareRoot() + 1e-8) + 0.1 * p[i])
        }
      }
      expectClose(parameter, p, tolerance: 1e-6, "parameters, \(count)")
      expectClose(first, m, tolerance: 1e-6, "first moments, \(count)")
      expectClose(second, v, tolerance: 1e-6, "second moments, \(count)")
    }
  }

  @Test("the sum of squares keeps double precision")
  func squares() {
    for count in [0, 1, 17, 100, 10_000] {
      var numbers = Numbers(seed: count)
      let x = numbers.floats(count)
      let expected = x.reduce(0.0) { $0 + Double($1) * Double($1) }
      #expect(abs(ptk_sum_of_squares(count, x) - expected) <= 1e-12 * expected)
    }
  }
}
