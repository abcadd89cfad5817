import CPTuneKernels
import PTuneLibc
import Testing

private let columnCounts = [1, 2, 3, 5, 7, 15, 16, 17, 31, 33, 64, 65, 100]
private let rows = 4

private func logSoftmax(_ x: [Double], _ columns: Int) -> [Double] {
  stride(from: 0, to: x.count, by: columns).flatMap { begin in
    let row = x[begin..<begin + columns]
    let logSum = log(row.reduce(0) { $0 + exp($1) })
    return row.map { $0 - logSum }
  }
}

/// torch.nn.CrossEntropyLoss before its division, written out.
private func crossEntropy(
  _ logits: [Double], _ columns: Int, _ targets: [Int32], _ weights: [Float]?, _ smoothing: Double
) -> (loss: Double, weight: Double) {
  let logarithms = logSoftmax(logits, columns)
  var loss = 0.0, total = 0.0
  for (row, target) in targets.enumerated() where target >= 0 {
    let weight = Double(weights?[Int(target)] ?? 1)
    total += weight
    loss -= (1 - smoothing) * weight * logarithms[row * columns + Int(target)]
    for c in 0..<columns {
      loss -= smoothing / Double(columns) * Double(weights?[c] ?? 1) * logarithms[row * columns + c]
    }
  }
  return (loss, total)
}

@Suite("Softmax and losses")
struct LossTests {
  @Test("softmax and its logarithm, and their gradients")
  func softmax() {
    for columns in columnCounts {
      for logarithm in [false, true] {
        var numbers = Numbers(seed: columns)
        let x = numbers.floats(rows * columns, in: -5, 5), dy = numbers.floats(rows * columns)
        let reference = { (x: [Double]) in
          logarithm ? logSoftmax(x, columns) : logSoftmax(x, columns).map { exp($0) }
        }
        var y = [Float](repeating: .nan, count: rows * columns)
        ptk_softmax_forward(rows, columns, logarithm, x, &y)
        expectClose(y, reference(x.doubles), tolerance: 1e-6, "\(columns), logarithm \(logarithm)")
        var dx = [Float](repeating: 1, count: rows * columns)
        ptk_softmax_backward(rows, columns, logarithm, y, dy, &dx)
        expectGradient(dx.map { $0 - 1 }, at: x.doubles, "gradient, \(columns), logarithm \(logarithm)") {
          point in
          zip(reference(point), dy).reduce(0) { $0 + $1.0 * Double($1.1) }
        }
      }
    }
  }

  @Test("a masked score has no probability, and large scores do not overflow")
  func masks() {
    var y: [Float] = [0, 0, 0]
    ptk_softmax_forward(1, 3, false, [1000, -.infinity, 1000], &y)
    #expect(y == [0.5, 0, 0.5])
  }

  @Test("cross entropy with weights, smoothing and rows without a target, and its gradient")
  func crossEntropyAndGradient() {
    for columns in columnCounts {
      for option in 0..<4 {
        var numbers = Numbers(seed: columns)
        let logits = numbers.floats(rows * columns, in: -5, 5)
        let targets: [Int32] = [0, Int32(columns - 1), -100, Int32(columns / 2)]
        let weights = option & 1 != 0 ? numbers.floats(columns, in: 0.1, 2) : nil
        let smoothing: Float = option & 2 != 0 ? 0.1 : 0
        let what: Comment = "\(columns) columns, weights \(weights != nil), smoothing \(smoothing)"
        let expected = crossEntropy(logits.doubles, columns, targets, weights, Double(smoothing))
        var logSums = [Float](repeating: .nan, count: rows)
        var weight = Double.nan
        let loss = ptk_cross_entropy_forward(
          rows, columns, logits, targets, weights, smoothing, &logSums, &weight)
        #expect(abs(loss - expected.loss) <= 2e-6 * (1 + abs(expected.loss)), what)
        #expect(abs(weight - expected.weight) <= 1e-6, what)
        #expect(logSums[2] == 0)

        var gradient = [Float](repeating: 1, count: rows * columns)
        ptk_cross_entropy_backward(
          rows, columns, logits, targets, weights, smoothing, logSums, 0.5, &gradient)
        #expect(gradient[2 * columns..<3 * columns].allSatisfy { $0 == 1 }, what)
        expectGradient(gradient.map { $0 - 1 }, at: logits.doubles, what) {
          0.5 * crossEntropy($0, columns, targets, weights, Double(smoothing)).loss
        }
        expectInPlace(logits, columns, targets, weights, smoothing, what)
      }
    }
  }

  /// Loss, weight and gradient of rows whose logits become the gradient.
  private func expectInPlace(
    _ logits: [Float], _ columns: Int, _ targets: [Int32], _ weights: [Float]?, _ smoothing: Float,
    _ what: Comment
  ) {
    let expected = crossEntropy(logits.doubles, columns, targets, weights, Double(smoothing))
    var (gradient, loss, weight) = (logits, 0.0, 0.0)
    gradient.withUnsafeMutableBufferPointer { gradient in
      for (row, target) in targets.enumerated() {
        var own = Double.nan
        loss += ptk_cross_entropy_in_place(
          columns, gradient.baseAddress! + row * columns, target, weights, smoothing, &own)
        weight += own
      }
    }
    #expect(abs(loss - expected.loss) <= 2e-6 * (1 + abs(expected.loss)), what)
    #expect(abs(weight - expected.weight) <= 1e-6, what)
    #expect(gradient[2 * columns..<3 * columns].allSatisfy { $0 == 0 }, what)
    expectGradient(gradient, at: logits.doubles, what) {
      crossEntropy($0, columns, targets, weights, Double(smoothing)).loss
    }
  }
}
