import Testing

@testable import PTune
@testable import PTuneEngine

/// Numbers below 1.2e-38, which a float holds with less than its full precision.
@Suite("Subnormal numbers") struct SubnormalTests {
  /// The gradients of Σ scale·(scale·x)·y by x and y, both `[rows, 8]` and 2 everywhere.
  private func gradients(scale: Float, rows: Int, threads: Int) throws -> [[Float]] {
    let bench = OperatorBench(threads: threads)
    let parameters = ["x", "y"].map { name in
      let parameter = TrainableParameter(owner: "test", name: name, shape: [rows, 8])
      parameter.values.update(repeating: 2, count: parameter.count)
      _ = bench.session.add(parameter)
      return parameter
    }
    try bench.session.scoped {
      let (x, y) = (bench.tensor(parameters[0]), bench.tensor(parameters[1]))
      _ = try bench.session.differentiate(bench.node((scale * (scale * x) * y).sum()))
    }
    return parameters.map { Array(UnsafeBufferPointer(start: $0.gradients, count: $0.count)) }
  }

  @Test("are zero as values and as gradients, whether the caller computes them or other threads")
  func zero() throws {
    for rows in [1, 4096] {
      for threads in [1, 2, 3] {
        for gradient in try gradients(scale: 1e-20, rows: rows, threads: threads) {
          #expect(gradient.allSatisfy { $0 == 0 }, "\(rows) rows, \(threads) threads")
        }
      }
    }
  }

  @Test("what is a little above them stays, the same for any number of threads")
  func kept() throws {
    for rows in [1, 4096] {
      let alone = try gradients(scale: 1e-18, rows: rows, threads: 1)
      #expect(alone.joined().allSatisfy { $0.isNormal && $0 > 0 })
      #expect(try gradients(scale: 1e-18, rows: rows, threads: 3) == alone)
    }
  }

  @Test("are what they were on the caller's thread once a computation is done")
  func restored() throws {
    _ = try gradients(scale: 1, rows: 4096, threads: 2)
    let least = Float.leastNonzeroMagnitude
    let values = [least, 1]
    #expect(values[0] * values[1] == least)
  }
}
