import CPTuneKernels
import PTuneLibc
import Testing

private let counts = [1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 64, 65, 100]

private struct Function: CustomStringConvertible {
  let description: String
  let value: ptk_unary
  let range: (Float, Float)
  /// In units of 1 + |y|.
  let tolerance: Double
  let reference: @Sendable (Double) -> Double
}

private let functions = [
  Function(description: "relu", value: PTK_RELU, range: (-9, 9), tolerance: 0) { max(0, $0) },
  Function(description: "gelu", value: PTK_GELU, range: (-9, 9), tolerance: 3e-7) {
    0.5 * $0 * erfc(-$0 / 2.squareRoot())
  },
  Function(description: "gelu with tanh", value: PTK_GELU_TANH, range: (-9, 9), tolerance: 3e-7) {
    0.5 * $0 * (1 + tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
  },
  Function(description: "tanh", value: PTK_TANH, range: (-12, 12), tolerance: 1e-7) { tanh($0) },
  Function(description: "sigmoid", value: PTK_SIGMOID, range: (-30, 30), tolerance: 1e-7) {
    1 / (1 + exp(-$0))
  },
  Function(description: "silu", value: PTK_SILU, range: (-30, 30), tolerance: 2e-7) { $0 / (1 + exp(-$0)) },
  Function(description: "exp", value: PTK_EXP, range: (-87, 88), tolerance: 1.2e-7) { exp($0) },
  Function(description: "log", value: PTK_LOG, range: (1e-30, 50), tolerance: 1.2e-7) { log($0) },
  Function(description: "sqrt", value: PTK_SQRT, range: (0.001, 50), tolerance: 1e-7) { $0.squareRoot() },
]

private func apply(_ function: ptk_unary, _ x: [Float]) -> [Float] {
  var y = [Float](repeating: .nan, count: x.count)
  ptk_unary_forward(function, x.count, x, &y)
  return y
}

@Suite("Elementwise kernels")
struct ElementwiseTests {
  @Test("every function is that of double precision to a few units in the last place, at any length")
  func forward() {
    for function in functions {
      for count in counts + [4000] {
        var numbers = Numbers(seed: count)
        let x = numbers.floats(count, in: function.range.0, function.range.1)
        expectClose(
          apply(function.value, x), x.map { function.reference(Double($0)) }, tolerance: function.tolerance,
          "\(function), \(count)")
      }
    }
  }

  @Test("every derivative is that of finite differences, and is added")
  func backward() {
    for function in functions {
      for count in counts {
        var numbers = Numbers(seed: count)
        // Narrow enough for the differences; relu's corner is avoided by odds.
        let low = max(function.range.0, -4), high = min(function.range.1, 4)
        let x = numbers.floats(count, in: low < 0 ? low : 0.1, high)
        let dy = numbers.floats(count), before = numbers.floats(count)
        var dx = before
        ptk_unary_backward(function.value, count, x, apply(function.value, x), dy, true, &dx)
        var alone = [Float](repeating: .nan, count: count)
        ptk_unary_backward(function.value, count, x, apply(function.value, x), dy, false, &alone)
        expectClose(
          zip(dx, before).map(-), alone.doubles, tolerance: 1e-6, "\(function), \(count): not added")
        expectGradient(zip(dx, before).map(-), at: x.doubles, "\(function), \(count)") { point in
          zip(point, dy).reduce(0) { $0 + function.reference($1.0) * Double($1.1) }
        }
      }
    }
  }

  @Test("an activation and its derivative made at once, and gated products, are those made apart")
  func sloped() {
    for function in [PTK_GELU, PTK_GELU_TANH, PTK_SILU] {
      for count in counts {
        var numbers = Numbers(seed: count)
        let x = numbers.floats(count, in: -9, 9), y = numbers.floats(count), dz = numbers.floats(count)
        let ones = [Float](repeating: 1, count: count)
        var value = ones, slope = ones, apart = ones
        ptk_unary_forward_with_derivative(function, count, x, &value, &slope)
        ptk_unary_backward(function, count, x, x, ones, false, &apart)
        let about = "\(function.rawValue), \(count)"
        let activation = apply(function, x)
        expectClose(value, activation.doubles, tolerance: 1e-7, "\(about)")
        expectClose(slope, apart.doubles, tolerance: 3e-7, "\(about)")

        var z = ones, dx = y, dy = x
        ptk_gated_forward(function, count, x, y, &z)
        expectClose(z, zip(activation, y).map { Double($0) * Double($1) }, tolerance: 2e-7, "\(about)")
        ptk_gated_backward(function, count, x, y, dz, true, &dx, false, &dy)
        let slopes = zip(zip(dz, y), apart).map { Double($0.0) * Double($0.1) * Double($1) }
        expectClose(dx, zip(slopes, y).map { $0 + Double($1) }, tolerance: 5e-7, "dx added, \(about)")
        expectClose(dy, zip(dz, activation).map { Double($0) * Double($1) }, tolerance: 5e-7, "dy, \(about)")
        ptk_gated_backward(function, count, x, y, dz, false, &dx, false, nil)
        expectClose(dx, slopes, tolerance: 5e-7, "dx alone, \(about)")
      }
    }
  }

  @Test("the ends of the number line come out as they should")
  func extremes() {
    let infinity = Float.infinity
    #expect(apply(PTK_EXP, [-infinity, -200, 0, 200, infinity]) == [0, 0, 1, infinity, infinity])
    #expect(apply(PTK_TANH, [-infinity, -50, 0, 50, infinity]) == [-1, -1, 0, 1, 1])
    #expect(apply(PTK_SIGMOID, [-infinity, 0, infinity]) == [0, 0.5, 1])
    #expect(apply(PTK_LOG, [0, 1, infinity]) == [-infinity, 0, infinity])
    #expect(apply(PTK_LOG, [-1])[0].isNaN)
    for function in functions { #expect(apply(function.value, [.nan])[0].isNaN, "\(function)") }
  }

  @Test("sums, differences, products and quotients of arrays, and products that are added")
  func combinations() {
    for count in counts {
      var numbers = Numbers(seed: count)
      let x = numbers.floats(count), y = numbers.floats(count, in: 0.5, 2), before = numbers.floats(count)
      let functions: [(ptk_binary, (Float, Float) -> Float)] = [
        (PTK_ADD, { $0 + $1 }), (PTK_SUBTRACT, { $0 - $1 }), (PTK_MULTIPLY, { $0 * $1 }),
        (PTK_DIVIDE, { $0 / $1 }),
      ]
      for (function, combine) in functions {
        var z = [Float](repeating: .nan, count: count)
        ptk_combine(function, count, x, y, &z)
        expectClose(
          z, zip(x, y).map { Double(combine($0, $1)) }, tolerance: 2e-7, "\(function.rawValue), \(count)")
      }
      var z = [Float](repeating: .nan, count: count)
      ptk_multiply(count, x, y, false, &z)
      #expect(z == zip(x, y).map { $0 * $1 })
      z = before
      ptk_multiply(count, x, y, true, &z)
      let expected = zip(zip(x, y), before).map { Double($0.0) * Double($0.1) + Double($1) }
      expectClose(z, expected, tolerance: 2e-7, "added, \(count)")
    }
  }

  @Test("sums of arrays, scaled arrays, biases and rows")
  func sums() {
    for count in counts {
      var numbers = Numbers(seed: count)
      let x = numbers.floats(count), y = numbers.floats(count)
      var sum = y
      ptk_add(count, x, &sum)
      expectClose(sum, zip(x, y).map { Double($0) + Double($1) }, tolerance: 1e-7, "add \(count)")
      sum = y
      ptk_add_scaled(count, -0.3, x, &sum)
      expectClose(sum, zip(x, y).map { -0.3 * Double($0) + Double($1) }, tolerance: 2e-7, "scaled \(count)")

      let rows = 5, stride = count + 2
      let matrix = numbers.floats(rows * stride)
      var biased = matrix
      ptk_add_bias(rows, count, x, &biased, stride)
      let expected = matrix.enumerated().map { index, value in
        Double(value) + (index % stride < count ? Double(x[index % stride]) : 0)
      }
      expectClose(biased, expected, tolerance: 1e-7, "bias \(count)")
      var columns = y
      ptk_sum_rows(rows, count, matrix, stride, &columns)
      let sums = (0..<count).map { j in
        (0..<rows).reduce(Double(y[j])) { $0 + Double(matrix[$1 * stride + j]) }
      }
      expectClose(columns, sums, tolerance: 1e-6, "rows \(count)")
    }
  }
}
