import CPTuneKernels
import Testing

private let columnCounts = [1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 64, 65, 100]
private let rows = 3
private let epsilon: Float = 1e-5

/// gain [columns], bias [columns] and x [rows, columns] in one array, in this order.
private func layerNorm(_ operands: [Double], _ columns: Int) -> (y: [Double], mean: [Double], rstd: [Double])
{
  var y: [Double] = [], means: [Double] = [], rstds: [Double] = []
  for row in 2..<2 + rows {
    let x = operands[row * columns..<(row + 1) * columns]
    let mean = x.reduce(0, +) / Double(columns)
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
    let rstd = 1 / (variance + Double(epsilon)).squareRoot()
    y += x.enumerated().map { ($1 - mean) * rstd * operands[$0] + operands[columns + $0] }
    means.append(mean)
    rstds.append(rstd)
  }
  return (y, means, rstds)
}

/// gain [columns] and x [rows, columns] in one array, in this order.
private func rmsNorm(_ operands: [Double], _ columns: Int) -> (y: [Double], rstd: [Double]) {
  var y: [Double] = [], rstds: [Double] = []
  for row in 1..<1 + rows {
    let x = operands[row * columns..<(row + 1) * columns]
    let rstd = 1 / (x.reduce(0) { $0 + $1 * $1 } / Double(columns) + Double(epsilon)).squareRoot()
    y += x.enumerated().map { $1 * rstd * operands[$0] }
    rstds.append(rstd)
  }
  return (y, rstds)
}

private func weighted(_ y: [Double], _ dy: [Float]) -> Double {
  zip(y, dy).reduce(0) { $0 + $1.0 * Double($1.1) }
}

@Suite("Normalisation")
struct NormalizationTests {
  @Test("layer norm and its gradients, which are added where they are wanted")
  func layer() {
    for columns in columnCounts {
      var numbers = Numbers(seed: columns)
      let gain = numbers.floats(columns, in: 0.5, 2), bias = numbers.floats(columns)
      let x = numbers.floats(rows * columns, in: -3, 5), dy = numbers.floats(rows * columns)
      let operands = (gain + bias + x).doubles
      let expected = layerNorm(operands, columns)
      var y = [Float](repeating: .nan, count: rows * columns)
      var mean = [Float](repeating: .nan, count: rows), rstd = mean
      ptk_layer_norm_forward(rows, columns, x, gain, bias, epsilon, &y, &mean, &rstd)
      // With one column x - mean is all rounding, which rstd then magnifies.
      let tolerance = columns == 1 ? 1e-3 : 5e-6
      expectClose(y, expected.y, tolerance: tolerance, "y, \(columns)")
      expectClose(mean, expected.mean, tolerance: 1e-6, "mean, \(columns)")
      expectClose(rstd, expected.rstd, tolerance: 1e-5, "rstd, \(columns)")

      var dx = [Float](repeating: 1, count: rows * columns)
      var dgain = [Float](repeating: 1, count: columns), dbias = dgain
      ptk_layer_norm_backward(rows, columns, x, gain, mean, rstd, dy, true, &dx, &dgain, &dbias)
      let gradient = (dgain + dbias + dx).map { $0 - 1 }
      if columns > 2 {
        expectGradient(gradient, at: operands, "gradients, \(columns)") {
          weighted(layerNorm($0, columns).y, dy)
        }
      }
      var alone = [Float](repeating: 1, count: rows * columns)
      ptk_layer_norm_backward(rows, columns, x, gain, mean, rstd, dy, true, &alone, nil, nil)
      #expect(alone == dx)
      alone = [Float](repeating: .nan, count: rows * columns)
      ptk_layer_norm_backward(rows, columns, x, gain, mean, rstd, dy, false, &alone, nil, nil)
      expectClose(dx.map { $0 - 1 }, alone.doubles, tolerance: 1e-6, "not added, \(columns)")
      ptk_layer_norm_backward(rows, columns, x, gain, mean, rstd, dy, true, nil, nil, nil)
    }
  }

  @Test("root mean square norm and its gradients")
  func rootMeanSquare() {
    for columns in columnCounts {
      var numbers = Numbers(seed: columns)
      let gain = numbers.floats(columns, in: 0.5, 2)
      let x = numbers.floats(rows * columns, in: -3, 5), dy = numbers.floats(rows * columns)
      let operands = (gain + x).doubles
      let expected = rmsNorm(operands, columns)
      var y = [Float](repeating: .nan, count: rows * columns)
      var rstd = [Float](repeating: .nan, count: rows)
      ptk_rms_norm_forward(rows, columns, x, gain, epsilon, &y, &rstd)
      expectClose(y, expected.y, tolerance: 1e-6, "y, \(columns)")
      expectClose(rstd, expected.rstd, tolerance: 1e-6, "rstd, \(columns)")

      var dx = [Float](repeating: 1, count: rows * columns)
      var dgain = [Float](repeating: 1, count: columns)
      ptk_rms_norm_backward(rows, columns, x, gain, rstd, dy, true, &dx, &dgain)
      expectGradient((dgain + dx).map { $0 - 1 }, at: operands, "gradients, \(columns)") {
        weighted(rmsNorm($0, columns).y, dy)
      }
      ptk_rms_norm_backward(rows, columns, x, gain, rstd, dy, true, nil, nil)
      var alone = [Float](repeating: .nan, count: rows * columns)
      ptk_rms_norm_backward(rows, columns, x, gain, rstd, dy, false, &alone, nil)
      expectClose(dx.map { $0 - 1 }, alone.doubles, tolerance: 1e-6, "not added, \(columns)")
    }
  }
}
