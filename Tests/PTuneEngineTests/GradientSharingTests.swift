import Testing

@testable import PTune
@testable import PTuneEngine

/// A sum hands its gradient on without copying it; what is added to one share must not show in the others.
@Suite("Gradients of sums") struct GradientSharingTests {
  private func gradients(
    _ count: Int, rows: Int = 40, _ loss: ([Tensor]) -> Tensor
  ) throws -> (gradients: [[Float]], values: [[Float]]) {
    let bench = OperatorBench()
    let parameters = (0..<count).map { index in
      let parameter = TrainableParameter(owner: "test", name: "\(index)", shape: [rows, 8])
      for place in 0..<rows * 8 { parameter.values[place] = Float((place * 5 + index * 3) % 13) / 4 - 1.5 }
      _ = bench.session.add(parameter)
      return parameter
    }
    try bench.session.scoped {
      _ = try bench.session.differentiate(try bench.node(loss(parameters.map { bench.tensor($0) })))
    }
    func array(_ start: UnsafePointer<Float>) -> [Float] {
      Array(UnsafeBufferPointer(start: start, count: rows * 8))
    }
    return (parameters.map { array($0.gradients) }, parameters.map { array($0.values) })
  }

  @Test("a matrix added to itself has twice the gradient")
  func twice() throws {
    let (gradients, values) = try gradients(1) { x in
      let sum = x[0] + x[0]
      return (sum * sum).sum()
    }
    #expect(gradients[0] == values[0].map { 8 * $0 })
  }

  @Test("a residual's gradient is that of the sum and that of the branch, each once")
  func residual() throws {
    let (gradients, values) = try gradients(2) { x in
      // The branch reads what the sum passes on: (a + a·b + b)², summed.
      let sum = x[0] + x[0] * x[1] + x[1]
      return (sum * sum).sum()
    }
    for place in gradients[0].indices {
      let (a, b) = (values[0][place], values[1][place])
      let outer = 2 * (a + a * b + b)
      #expect(abs(gradients[0][place] - outer * (1 + b)) < 1e-4)
      #expect(abs(gradients[1][place] - outer * (a + 1)) < 1e-4)
    }
  }

  @Test("three holders of one gradient, two of whom add to theirs")
  func many() throws {
    let (gradients, values) = try gradients(3) { x in
      let (left, right) = (x[0] + x[1], x[1] + x[2])
      let sum = left + right
      return (sum * sum).sum() + (left * left).sum() + (x[2] * x[2]).sum()
    }
    for place in gradients[0].indices {
      let (a, b, c) = (values[0][place], values[1][place], values[2][place])
      let sum = 2 * (a + 2 * b + c), left = 2 * (a + b)
      #expect(abs(gradients[0][place] - (sum + left)) < 1e-4)
      #expect(abs(gradients[1][place] - (2 * sum + left)) < 1e-4)
      #expect(abs(gradients[2][place] - (sum + 2 * c)) < 1e-4)
    }
  }

  @Test("a buffer is free once each of its holders has given it back")
  func pool() {
    let pool = BufferPool()
    let buffer = pool.take(100)
    #expect(!pool.isShared(buffer))
    pool.share(buffer)
    pool.share(buffer)
    pool.give(buffer)
    #expect(pool.isShared(buffer))
    pool.give(buffer)
    #expect(!pool.isShared(buffer))
    #expect(pool.take(100) != buffer)
    pool.give(buffer)
    #expect(pool.take(100) == buffer)
  }
}
