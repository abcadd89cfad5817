import CPTune

/// Records operators on the tape of a session: each method checks shapes and says what is wrong with them.
struct Recorder {
  let session: Session
  /// The operator, as errors name it.
  let name: String

  /// The recorder for an operator called through the ABI; nil outside a call.
  init?(_ name: String) {
    guard let session = Session.current else { return nil }
    self.session = session
    self.name = name
  }

  init(_ session: Session, _ name: String) {
    self.session = session
    self.name = name
  }

  func node(_ pointer: OpaquePointer?) -> Node? { session.node(pointer, name) }

  func fail(_ what: String) -> OpaquePointer? {
    session.record("\(name): \(what)")
    return nil
  }

  /// More values than this in one matrix, or entries in one list, are a mistake: 8 GiB.
  static let largest = 1 << 31

  /// How many values a matrix has; nil, with a failure recorded, if it cannot be.
  func count(_ rows: Int, _ columns: Int) -> Int? {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    if rows >= 0, columns >= 0, !overflow, count <= Self.largest { return count }
    // A size_t that a plugin got from a negative number.
    _ = fail("[\(UInt(bitPattern: rows)), \(UInt(bitPattern: columns))] is too large")
    return nil
  }

  /// What a plugin passed as an array; nil, with a failure recorded, if it cannot be one.
  func array<Element>(_ start: UnsafePointer<Element>?, _ count: Int, _ what: String) -> [Element]? {
    guard count > 0 else {
      if count < 0 { _ = fail("\(UInt(bitPattern: count)) \(what) are too many") }
      return count < 0 ? nil : []
    }
    guard count <= Self.largest else {
      _ = fail("\(count) \(what) are too many")
      return nil
    }
    guard let start else {
      _ = fail("\(count) \(what) are at NULL")
      return nil
    }
    return Array(UnsafeBufferPointer(start: start, count: count))
  }

  /// The nodes behind a list of tensors; nil, with a failure recorded, if one is not there.
  func nodes(_ sources: UnsafePointer<OpaquePointer?>?, _ count: Int) -> [Node]? {
    guard let pointers = array(sources, count, "sources") else { return nil }
    let nodes = pointers.compactMap { node($0) }
    return nodes.count == pointers.count ? nodes : nil
  }

  func add(_ operation: any Operation, _ inputs: [Node], rows: Int, columns: Int) -> OpaquePointer? {
    guard count(rows, columns) != nil else { return nil }
    return session.handle(for: Node(operation, inputs, rows: rows, columns: columns))
  }

  /// An operator that keeps the shape of its first input.
  func keepShape(_ operation: any Operation, _ x: OpaquePointer?) -> OpaquePointer? {
    guard let x = node(x) else { return nil }
    return add(operation, [x], rows: x.rows, columns: x.columns)
  }

  func constant(_ values: [Float], rows: Int, columns: Int) -> OpaquePointer? {
    session.handle(
      for: Node(ConstantLeaf(values: values), [], rows: rows, columns: columns, needsGradient: false))
  }

  func binary(_ code: ptune_binary, _ a: OpaquePointer?, _ b: OpaquePointer?) -> OpaquePointer? {
    guard let function = BinaryOperation.Function(rawValue: code) else { return fail("no function \(code)") }
    guard let a = node(a), let b = node(b) else { return nil }
    guard b.rows == a.rows || b.rows == 1, b.columns == a.columns || b.columns == 1 else {
      return fail("\(function) of \(a.shapeText) and \(b.shapeText)")
    }
    return add(BinaryOperation(function: function), [a, b], rows: a.rows, columns: a.columns)
  }

  func matmul(
    _ a: OpaquePointer?, _ transposeA: Bool, _ b: OpaquePointer?, _ transposeB: Bool
  ) -> OpaquePointer? {
    guard let a = node(a), let b = node(b) else { return nil }
    let (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
    let (k2, n) = transposeB ? (b.columns, b.rows) : (b.rows, b.columns)
    guard k == k2 else {
      let mark = { $0 ? "ᵀ" : "" }
      return fail("\(a.shapeText)\(mark(transposeA)) times \(b.shapeText)\(mark(transposeB))")
    }
    let operation = MatMulOperation(transposeA: transposeA, transposeB: transposeB)
    return add(operation, [a, b], rows: m, columns: n)
  }

  func linear(
    _ x: OpaquePointer?, _ weight: OpaquePointer?, _ bias: OpaquePointer?, _ hasBias: Bool
  ) -> OpaquePointer? {
    guard let input = node(x), let matrix = node(weight) else { return nil }
    let shift: Node? = hasBias ? node(bias) : nil
    if hasBias, shift == nil { return nil }
    guard input.columns == matrix.columns, shift.map({ $0.count == matrix.rows }) ?? true else {
      let tail = shift.map { " and bias \($0.shapeText)" } ?? ""
      return fail("input \(input.shapeText) with weight \(matrix.shapeText)\(tail)")
    }
    let frozenBias = hasBias ? session.weight(bias) : nil
    if let frozen = session.weight(weight), !hasBias || frozenBias != nil {
      let operation = FrozenLinearOperation(weight: frozen, bias: frozenBias)
      return add(operation, [input], rows: input.rows, columns: matrix.rows)
    }
    let inputs = [input, matrix] + (shift.map { [$0] } ?? [])
    return add(LinearOperation(), inputs, rows: input.rows, columns: matrix.rows)
  }

  /// An operator of x with vectors `[1, columns]`.
  func norm(_ operation: any Operation, _ x: OpaquePointer?, _ vectors: [OpaquePointer?]) -> OpaquePointer? {
    guard let x = node(x) else { return nil }
    var inputs = [x]
    for vector in vectors {
      guard let vector = node(vector) else { return nil }
      guard vector.count == x.columns else {
        return fail("input \(x.shapeText) with a vector \(vector.shapeText)")
      }
      inputs.append(vector)
    }
    return add(operation, inputs, rows: x.rows, columns: x.columns)
  }

  func sum(_ x: OpaquePointer?, _ axis: ptune_axis, mean: Bool) -> OpaquePointer? {
    guard let axis = SumOperation.Axis(rawValue: axis) else { return fail("no axis \(axis)") }
    guard let x = node(x) else { return nil }
    let rows = axis == .columns ? x.rows : 1
    let columns = axis == .rows ? x.columns : 1
    let total = Node(SumOperation(axis: axis), [x], rows: rows, columns: columns)
    let pointer = session.handle(for: total)
    guard mean, x.count > 0 else { return pointer }
    let share = Float(total.count) / Float(x.count)
    return add(AffineOperation(scale: share, shift: 0), [total], rows: rows, columns: columns)
  }

  func gather(_ x: OpaquePointer?, _ rows: [Int32]) -> OpaquePointer? {
    guard let x = node(x) else { return nil }
    if let wrong = rows.first(where: { $0 < 0 || $0 >= x.rows }) {
      return fail("row \(wrong) of \(x.shapeText)")
    }
    // Of gathered rows: those of the rows that they were gathered from.
    if let inner = x.operation as? GatherRows {
      let rows = rows.map { inner.rows[Int($0)] }
      return add(GatherRows(rows: rows), x.inputs, rows: rows.count, columns: x.columns)
    }
    return add(GatherRows(rows: rows), [x], rows: rows.count, columns: x.columns)
  }

  func assemble(_ sources: [Node], _ sourceOf: [Int32], _ rowOf: [Int32]) -> OpaquePointer? {
    guard let columns = sources.first?.columns else { return fail("no sources") }
    if let other = sources.first(where: { $0.columns != columns }) {
      return fail("rows of \(columns) and of \(other.columns) columns")
    }
    for (source, row) in zip(sourceOf, rowOf) {
      guard source >= 0, source < sources.count, row >= 0, row < sources[Int(source)].rows else {
        return fail("row \(row) of source \(source)")
      }
    }
    let operation = AssembleRows(sourceOf: sourceOf, rowOf: rowOf)
    return add(operation, sources, rows: rowOf.count, columns: columns)
  }

  func meanRows(_ x: OpaquePointer?, _ rows: [Int32], _ offsets: [Int32]) -> OpaquePointer? {
    guard let x = node(x) else { return nil }
    guard offsets.first == 0, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 < $1 }),
      rows.allSatisfy({ $0 >= 0 && $0 < x.rows })
    else { return fail("groups must have rows of \(x.shapeText)") }
    let operation = MeanRows(rows: rows, offsets: offsets)
    return add(operation, [x], rows: offsets.count - 1, columns: x.columns)
  }

  func concatenateColumns(_ sources: [Node]) -> OpaquePointer? {
    guard let rows = sources.first?.rows, sources.allSatisfy({ $0.rows == rows }) else {
      return fail("columns of \(sources.map(\.shapeText).joined(separator: ", "))")
    }
    let columns = sources.reduce(0) { $0 + $1.columns }
    return add(ConcatenateColumnsOperation(), sources, rows: rows, columns: columns)
  }

  func slice(_ x: OpaquePointer?, _ begin: Int, _ count: Int) -> OpaquePointer? {
    guard let x = node(x) else { return nil }
    guard begin >= 0, count >= 0, begin <= x.columns, count <= x.columns - begin else {
      return fail("\(count) columns from \(begin) of \(x.shapeText)")
    }
    return add(SliceColumnsOperation(begin: begin), [x], rows: x.rows, columns: count)
  }

  func reshape(_ x: OpaquePointer?, _ rows: Int, _ columns: Int) -> OpaquePointer? {
    guard let x = node(x) else { return nil }
    guard let count = count(rows, columns) else { return nil }
    guard count == x.count else { return fail("\(x.shapeText) to [\(rows), \(columns)]") }
    return add(ReshapeOperation(), [x], rows: rows, columns: columns)
  }

  func crossEntropy(
    _ x: OpaquePointer?, _ targets: UnsafePointer<Int32>?, _ weights: UnsafePointer<Float>?,
    _ smoothing: Float
  ) -> OpaquePointer? {
    guard let x = node(x), let classes = classes(targets, of: x) else { return nil }
    guard smoothing >= 0, smoothing < 1 else { return fail("smoothing \(smoothing) is not in [0, 1)") }
    let operation = CrossEntropyOperation(
      targets: classes,
      classWeights: weights.map { Array(UnsafeBufferPointer(start: $0, count: x.columns)) },
      smoothing: smoothing)
    if let (linear, input) = vocabularyProduct(x) {
      return add(VocabularyLossOperation(linear: linear, loss: operation), [input], rows: 1, columns: 1)
    }
    return add(operation, [x], rows: 1, columns: 1)
  }

  func targetScores(_ x: OpaquePointer?, _ targets: UnsafePointer<Int32>?) -> OpaquePointer? {
    guard let x = node(x), let classes = classes(targets, of: x) else { return nil }
    var operation = TargetScoresOperation(linear: nil, targets: classes)
    var input = x
    if let product = vocabularyProduct(x) {
      (operation.linear, input) = (product.linear, product.input)
      let scored = classes.indices.filter { classes[$0] >= 0 }
      if !scored.isEmpty, scored.count < classes.count,
        let rows = node(gather(session.handle(for: input), scored.map(Int32.init)))
      {
        // Rows without a target are not even made.
        (operation.targets, operation.places, input) = (scored.map { classes[$0] }, scored, rows)
      }
    }
    return session.handle(
      for: Node(operation, [input], rows: x.rows, columns: 2, needsGradient: false))
  }

  private func classes(_ targets: UnsafePointer<Int32>?, of x: Node) -> [Int32]? {
    guard let classes = array(targets, x.rows, "targets") else { return nil }
    if let wrong = classes.first(where: { $0 >= x.columns }) {
      _ = fail("target \(wrong) with \(x.columns) classes")
      return nil
    }
    return classes
  }

  /// The product with frozen weights that logits come from, or from whose rows they were gathered, and its input for
  /// these rows: what reads them block by block never needs them as a whole.
  private func vocabularyProduct(_ x: Node) -> (linear: FrozenLinearOperation, input: Node)? {
    if let linear = x.operation as? FrozenLinearOperation { return (linear, x.inputs[0]) }
    guard let gather = x.operation as? GatherRows,
      let linear = x.inputs[0].operation as? FrozenLinearOperation
    else { return nil }
    let input = x.inputs[0].inputs[0]
    guard let rows = self.gather(session.handle(for: input), gather.rows), let node = node(rows) else {
      return nil
    }
    return (linear, node)
  }
}

extension Node {
  /// As messages write it.
  var shapeText: String { "[\(rows), \(columns)]" }
}
