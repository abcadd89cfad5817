import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

@Suite("Vocabulary losses") struct VocabularyLossTests {
  private static let inputs = 5

  /// What is computed over logits of frozen weights, and the gradient of the rows that they are made from.
  private func run(
    rows: Int, classes: Int, stored: Bool, cut: Bool = false, _ compute: (Tensor) throws -> Tensor
  ) throws -> (values: [Float], gradient: [Float], plan: [Instruction]) {
    let bench = OperatorBench()
    if cut { bench.session.machine.blockSize = 40 * classes }
    var generator = SplitMix64(seed: 3)
    let checkpoint = MemoryCheckpoint()
    checkpoint.add(
      "w", shape: [classes, Self.inputs], (0..<classes * Self.inputs).map { _ in Float(generator.normal()) })
    checkpoint.add("b", shape: [classes], (0..<classes).map { _ in Float(generator.normal()) })
    func weight(_ name: String, _ rows: Int, _ columns: Int) throws -> Tensor {
      let found = try #require(checkpoint.weight(name))
      let values = try #require(found.values.baseAddress)
      let weight = Weight(name: name, rows: rows, columns: columns, values: values, owner: found.owner)
      if cut { weight.sliceSize = 128 * columns }
      return Tensor(handle: bench.session.add(weight))
    }
    let (w, b) = (try weight("w", classes, Self.inputs), try weight("b", 1, classes))
    let x = TrainableParameter(owner: "test", name: "x", shape: [rows, Self.inputs])
    for index in 0..<x.count { x.values[index] = Float(generator.normal()) }
    _ = bench.session.add(x)
    return try bench.session.scoped {
      let logits = bench.tensor(x).linear(w, bias: b)
      // An operator between the product and the loss needs the logits as a whole.
      let result = try compute(stored ? logits.affine(scale: 1, shift: 0) : logits)
      let values = try result.values()
      let node = try bench.node(result.sum())
      let plan = Planner.plan([node], among: bench.session.nodes).order
      _ = try bench.session.differentiate(node)
      return (values, Array(UnsafeBufferPointer(start: x.gradients, count: x.count)), plan)
    }
  }

  @Test(
    "the loss over a vocabulary equals that of stored logits, whole and cut into blocks and slices",
    arguments: [(7, 11, false), (150, 70_001, false), (150, 1001, true)])
  func loss(_ rows: Int, _ classes: Int, _ cut: Bool) throws {
    let picked = (0..<rows).filter { $0 % 3 != 1 }.map(Int32.init)
    let targets = picked.map { $0 % 5 == 0 ? -1 : ($0 &* 7919) % Int32(classes) }
    let weights = (0..<classes).map { Float($0 % 4 + 1) / 2 }
    func loss(_ logits: Tensor) -> Tensor {
      targets.withUnsafeBufferPointer {
        logits.rows(at: picked).crossEntropy($0, classWeights: weights, smoothing: 0.1)
      }
    }
    let (own, reference) = (
      try run(rows: rows, classes: classes, stored: false, cut: cut, loss),
      try run(rows: rows, classes: classes, stored: true, loss)
    )
    #expect(relativeDifference(own.values, reference.values) < 1e-5)
    #expect(relativeDifference(own.gradient, reference.gradient) < 1e-5)
    #expect(own.plan.contains { $0.operation is VocabularyLossOperation })
    #expect(!own.plan.contains { $0.operation is FrozenLinearOperation })
    #expect(reference.plan.contains { $0.operation is CrossEntropyOperation })
  }

  @Test("without a single target the loss is 0, and so is its gradient")
  func noTarget() throws {
    let result = try run(rows: 2, classes: 3, stored: false) { logits in
      [-1, -1].withUnsafeBufferPointer { logits.crossEntropy($0) }
    }
    #expect(result.values == [0] && result.gradient.allSatisfy { $0 == 0 })
  }

  @Test(
    "a target's log-probability, and whether it is the most probable",
    arguments: [(7, 11, false), (150, 70_001, false), (150, 1001, true)])
  func targetScores(_ rows: Int, _ classes: Int, _ cut: Bool) throws {
    let targets = (0..<rows).map { $0 % 4 == 2 ? -1 : Int32($0 % min(3, classes)) }
    func scores(_ logits: Tensor) -> Tensor { targets.withUnsafeBufferPointer { logits.targetScores($0) } }
    let own = try run(rows: rows, classes: classes, stored: false, cut: cut, scores)
    let reference = try run(rows: rows, classes: classes, stored: true, scores)
    #expect(relativeDifference(own.values, reference.values) < 1e-5)
    #expect(own.gradient.allSatisfy { $0 == 0 })
    var expected: [Float] = []
    _ = try run(rows: rows, classes: classes, stored: true) { logits in
      let (plain, logarithms) = (try logits.values(), try logits.logSoftmax().values())
      for (row, target) in targets.enumerated() {
        let best = plain[row * classes..<(row + 1) * classes].max()
        let place = row * classes + Int(max(0, target))
        expected += target < 0 ? [0, 0] : [logarithms[place], plain[place] == best ? 1 : 0]
      }
      return logits.sum()
    }
    #expect(relativeDifference(own.values, expected) < 1e-5)
  }

  @Test("a product with a large matrix goes through it in slices and comes to the same")
  func slices() throws {
    let (own, reference) = try (
      run(rows: 50, classes: 1001, stored: true, cut: true) { $0 * $0 },
      run(rows: 50, classes: 1001, stored: true) { $0 * $0 }
    )
    #expect(own.plan.contains { ($0.operation as? FrozenLinearOperation)?.weight.slices.count == 8 })
    #expect(own.values == reference.values)
    #expect(relativeDifference(own.gradient, reference.gradient) < 1e-5)
  }

  @Test("of rows without a target not even the logits are computed")
  func scoredRows() throws {
    let targets: [Int32] = [-1, 3, -1, -1, 0]
    let own = try run(rows: 5, classes: 7, stored: false) { logits in
      targets.withUnsafeBufferPointer { logits.targetScores($0) }
    }
    #expect(own.plan.filter { $0.operation is GatherRows }.map(\.rows) == [2])
    let scoring = try #require(own.plan.first { $0.operation is TargetScoresOperation })
    #expect(scoring.inputs[0].rows == 2)
    #expect(scoring.rows == 5)
    #expect([0, 2, 3].allSatisfy { own.values[2 * $0] == 0 && own.values[2 * $0 + 1] == 0 })
    #expect([1, 4].allSatisfy { own.values[2 * $0] < 0 })
  }

  @Test("rows gathered from gathered rows are gathered once")
  func gathers() throws {
    let bench = OperatorBench()
    try bench.session.scoped {
      let x = Tensor.constant((0..<8).map(Float.init), rows: 4, columns: 2)
      let picked = x.rows(at: [3, 1, 2]).rows(at: [2, 0])
      let (source, node) = (try bench.node(x), try bench.node(picked))
      #expect(node.inputs[0] === source)
      let values = try picked.values()
      #expect(values == [4, 5, 6, 7])
    }
  }
}
