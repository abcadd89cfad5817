import CPTuneKernels
import PTuneLibc

/// The angle of each pair of columns per position, and what turned columns are multiplied by.
struct RotaryAngles: Equatable {
  let frequencies: [Float]
  let scale: Float
}

/// Cosines and sines of positions 0 … last, `[last + 1, pairs]` each, multiplied by the scale.
final class RotaryTable {
  let angles: RotaryAngles
  let last: Int32
  let cosines: [Float]
  let sines: [Float]

  init(_ angles: RotaryAngles, last: Int32) {
    self.angles = angles
    self.last = last
    // In double: a product of position and frequency in single precision loses the angle's low digits.
    let frequencies = angles.frequencies.map(Double.init)
    let scale = Double(angles.scale)
    var cosines: [Float] = []
    var sines: [Float] = []
    cosines.reserveCapacity((Int(last) + 1) * frequencies.count)
    sines.reserveCapacity((Int(last) + 1) * frequencies.count)
    for position in 0...last {
      for frequency in frequencies {
        cosines.append(Float(scale * cos(Double(position) * frequency)))
        sines.append(Float(scale * sin(Double(position) * frequency)))
      }
    }
    self.cosines = cosines
    self.sines = sines
  }
}

/// The tables of one pass, or of several that follow each other; mostly of one rotation.
final class RotaryTables {
  private var tables: [RotaryTable] = []
  /// Tables end at one less than a multiple of this, so that a text which grows needs a new one seldom.
  private let step: Int32

  init(step: Int32 = 1) { self.step = step }

  /// A table of these angles that reaches a position.
  func table(_ angles: RotaryAngles, last: Int32) -> RotaryTable {
    if let known = tables.first(where: { $0.angles == angles && $0.last >= last }) { return known }
    tables.removeAll { $0.angles == angles }
    let table = RotaryTable(angles, last: (last / step + 1) * step - 1)
    tables.append(table)
    return table
  }
}

/// Turns the columns of each head by the position of its row (Su et al. 2021, section 3.4).
struct RotaryOperation: Operation {
  let name = "rotary"
  let heads: Int
  let isInterleaved: Bool
  let positions: [Int32]
  let table: RotaryTable

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }
  func restricted(to rows: [Int32]) -> any Operation {
    RotaryOperation(
      heads: heads, isInterleaved: isInterleaved, positions: rows.map { positions[Int($0)] }, table: table)
  }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    rotate(x, into: machine.result(instruction), direction: 1, instruction, machine)
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient else { return }
    machine.addGradient(to: instruction.inputs[0]) {
      rotate(dy, into: $0, direction: -1, instruction, machine)
    }
  }

  private func rotate(
    _ x: Floats, into y: Floats, direction: Float, _ instruction: Instruction, _ machine: Machine
  ) {
    let columns = instruction.columns
    machine.threads.split(instruction.rows, work: instruction.count * 2) { rows in
      positions.withUnsafeBufferPointer { positions in
        guard let first = positions.baseAddress else { return }
        ptk_rotate(
          rows.count, heads, columns / heads, table.angles.frequencies.count, isInterleaved,
          first + rows.lowerBound, table.cosines, table.sines, direction, x + rows.lowerBound * columns,
          y + rows.lowerBound * columns)
      }
    }
  }
}
