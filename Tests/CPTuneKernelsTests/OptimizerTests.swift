import CPTuneKernels
import PTuneLibc
import Testing

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

  @Test("Adafactor's steps before clipping are those of the published algorithms")
  func adafactor() {
    for (rows, columns) in [(1, 1), (1, 17), (5, 1), (3, 16), (7, 33)] {
      var numbers = Numbers(seed: rows + columns)
      var rowMeans = [Float](repeating: 0, count: rows)
      var columnMeans = [Float](repeating: 0, count: columns)
      var means = [Float](repeating: 0, count: rows * columns)
      var r = rowMeans.doubles, c = columnMeans.doubles, v = means.doubles
      for step in 1...3 {
        let decay = Float(1 - pow(Double(step), -0.8))
        let gradient = numbers.floats(rows * columns)
        var (factored, whole) = (gradient, gradient)
        ptk_adafactor_factored(rows, columns, &factored, &rowMeans, &columnMeans, decay)
        ptk_adafactor_whole(rows * columns, &whole, &means, decay)
        let squares = gradient.map { Double($0) * Double($0) + 1e-30 }
        func kept(_ old: Double, _ new: Double) -> Double { Double(decay) * old + Double(1 - decay) * new }
        for i in 0..<rows {
          let row = squares[i * columns..<(i + 1) * columns]
          r[i] = kept(r[i], row.reduce(0, +) / Double(columns))
        }
        for j in 0..<columns {
          let column = stride(from: j, to: squares.count, by: columns).map { squares[$0] }
          c[j] = kept(c[j], column.reduce(0, +) / Double(rows))
        }
        let mean = r.reduce(0, +) / Double(rows)
        let expected = gradient.indices.map { index in
          Double(gradient[index]) / (r[index / columns] * c[index % columns] / mean).squareRoot()
        }
        expectClose(factored, expected, tolerance: 1e-5, "factored, \(rows)x\(columns)")
        for index in squares.indices { v[index] = kept(v[index], squares[index]) }
        let plain = gradient.indices.map { Double(gradient[$0]) / v[$0].squareRoot() }
        expectClose(whole, plain, tolerance: 1e-5, "whole, \(rows)x\(columns)")
      }
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
