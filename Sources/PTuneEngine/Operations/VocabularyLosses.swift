import CPTuneKernels

extension FrozenLinearOperation {
  /// Calls `body` with x·Wᵀ + bias for some rows at a time, `[block.count, outputs]`.
  fileprivate func eachBlock(
    of x: Instruction, _ machine: Machine, _ body: (_ block: Range<Int>, _ product: Floats) -> Void
  ) {
    guard let input = x.value, x.rows > 0 else { return }
    let (n, k) = (weight.rows, x.columns)
    // Blocks of like size, so that none is too small to be worth the way through the vocabulary.
    let most = max(1, machine.blockSize / n)
    let blocks = (x.rows + most - 1) / most
    let length = (x.rows + blocks - 1) / blocks
    let product = machine.pool.take(length * n)
    defer { machine.pool.give(product) }
    for begin in stride(from: 0, to: x.rows, by: length) {
      let block = begin..<min(begin + length, x.rows)
      multiply(block.count, input + begin * k, into: product, machine)
      if machine.hasFailed { return }
      body(block, product)
    }
  }
}

/// Mean cross-entropy of x·Wᵀ + bias with frozen weights, in blocks of rows: neither the logits of all rows nor their
/// gradients are ever stored. The gradient of x is made along with the loss, for its value does not depend on what
/// follows but for a factor.
struct VocabularyLossOperation: Operation {
  let name = "vocabulary_loss"
  let linear: FrozenLinearOperation
  let loss: CrossEntropyOperation

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let x = instruction.inputs[0]
    let (n, k) = (linear.weight.rows, x.columns)
    let gradient = instruction.needsGradient ? machine.save(x.count, for: instruction) : nil
    var sums = [Double](repeating: 0, count: x.rows)
    var weights = [Double](repeating: 0, count: x.rows)
    sums.withUnsafeMutableBufferPointer { sums in
      weights.withUnsafeMutableBufferPointer { weights in
        // Threads write elements of their own, which the exclusive access to a buffer cannot tell.
        nonisolated(unsafe) let (sums, weights) = (sums, weights)
        linear.eachBlock(of: x, machine) { block, logits in
          machine.threads.split(block.count, work: block.count * n * 16) { rows in
            for row in rows {
              let (place, target) = (block.lowerBound + row, loss.targets[block.lowerBound + row])
              if gradient == nil {
                var logSum: Float = 0
                sums[place] = ptk_cross_entropy_forward(
                  1, n, logits + row * n, [target], loss.classWeights, loss.smoothing, &logSum,
                  &weights[place])
              } else {
                sums[place] = ptk_cross_entropy_in_place(
                  n, logits + row * n, target, loss.classWeights, loss.smoothing, &weights[place])
              }
            }
          }
          guard let gradient else { return }
          linear.differentiate(
            block.count, logits, adding: false, into: gradient + block.lowerBound * k, machine)
        }
      }
    }
    let total = weights.reduce(0, +)
    machine.save(1, for: instruction).pointee = Float(total)
    machine.result(instruction).pointee = total == 0 ? 0 : Float(sums.reduce(0, +) / total)
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let dx = machine.gradient(of: instruction.inputs[0]),
      instruction.saved[1].pointee != 0
    else { return }
    ptk_add_scaled(
      instruction.inputs[0].count, dy.pointee / instruction.saved[1].pointee, instruction.saved[0], dx)
  }
}

/// How well each row tells its target: log-probability, and whether no class scores higher. `linear` makes the logits
/// of the input's rows; nil where the input is the logits.
struct TargetScoresOperation: Operation {
  let name = "target_scores"
  var linear: FrozenLinearOperation?
  var targets: [Int32]
  /// The row of the result of each of the input's, the others being zero; nil where each row stays where it is.
  var places: [Int]?

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { places == nil ? .same : .all }
  var restrictsRows: Bool { places == nil }
  func restricted(to rows: [Int32]) -> any Operation {
    TargetScoresOperation(linear: linear, targets: rows.map { targets[Int($0)] })
  }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let x = instruction.inputs[0]
    let result = machine.result(instruction)
    let out = places == nil ? result : machine.pool.take(2 * x.rows)
    defer {
      if let places {
        result.update(repeating: 0, count: instruction.count)
        for (row, place) in places.enumerated() { (result + 2 * place).update(from: out + 2 * row, count: 2) }
        machine.pool.give(out)
      }
    }
    func score(_ rows: Range<Int>, _ logits: Floats, _ columns: Int) {
      machine.threads.split(rows.count, work: rows.count * columns * 8) { part in
        targets.withUnsafeBufferPointer { targets in
          guard let first = targets.baseAddress else { return }
          ptk_target_scores(
            part.count, columns, logits + part.lowerBound * columns,
            first + rows.lowerBound + part.lowerBound,
            out + 2 * (rows.lowerBound + part.lowerBound))
        }
      }
    }
    if let linear {
      linear.eachBlock(of: x, machine) { score($0, $1, linear.weight.rows) }
    } else if let logits = x.value {
      score(0..<x.rows, logits, x.columns)
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {}
}
