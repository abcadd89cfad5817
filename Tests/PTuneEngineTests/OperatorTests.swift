import PTuneFormats
import Testing

@testable import PTune
@testable import PTuneEngine

@Suite("Operators") struct OperatorTests {
  @Test("every operator and its gradients equal PyTorch's", arguments: Fixtures.cases("operators"))
  func operators(_ fixture: FixtureCase) throws {
    let fixture = fixture.json
    let file = try Fixtures.tensors("operators")
    let bench = OperatorBench()
    let name = "\(fixture["operator"]?.stringValue ?? "") \(fixture["name"]?.stringValue ?? "")"
    func tensor(_ name: JSONValue?) throws -> FloatTensor { try file.floats(try #require(name?.stringValue)) }
    let inputs = try #require(fixture["inputs"]?.arrayValue).map { bench.parameter(try tensor($0)) }
    let cotangent = try tensor(fixture["cotangent"])

    try bench.session.scoped {
      let result = try OperatorCase(fixture).apply(inputs.map { bench.tensor($0) })
      try #require(bench.session.failure == nil, "\(name): \(bench.session.failure.map { "\($0)" } ?? "")")
      let values = try result.values()
      #expect(relativeDifference(values, try tensor(fixture["output"]).array) < 2e-6, "\(name): value")
      let weights = Tensor.constant(cotangent.array, rows: result.rows, columns: result.columns)
      _ = try bench.session.differentiate(try bench.node((result * weights).sum()))
    }
    for (index, expected) in try #require(fixture["gradients"]?.arrayValue).enumerated()
    where expected != .null {
      let gradient = UnsafeBufferPointer(start: inputs[index].gradients, count: inputs[index].count)
      let difference = relativeDifference(gradient, try tensor(expected).array)
      #expect(difference < 1e-5, "\(name): gradient of input \(index)")
    }
  }

  @Test("attention and its gradients equal PyTorch's", arguments: Fixtures.cases("attention"))
  func attention(_ fixture: FixtureCase) throws {
    let fixture = fixture.json
    let file = try Fixtures.tensors("attention")
    let bench = OperatorBench()
    let attributes = try #require(fixture["attributes"])
    let inputs = try #require(fixture["inputs"]?.arrayValue).map {
      bench.parameter(try file.floats(try #require($0.stringValue)))
    }
    let operation = try AttentionOperation(fixture: attributes, rows: inputs[0].rows)
    let expected = try file.floats(try #require(fixture["output"]?.stringValue)).array
    let cotangent = try file.floats(try #require(fixture["cotangent"]?.stringValue)).array
    try bench.session.scoped {
      let tensors = inputs.map { bench.tensor($0) }
      let nodes = try tensors.map { try bench.node($0) }
      let output = Node(operation, nodes, rows: nodes[0].rows, columns: nodes[0].columns)
      let result = Tensor(handle: bench.session.handle(for: output))
      #expect(relativeDifference(try result.values(), expected) < 2e-6)
      let weights = Tensor.constant(cotangent, rows: result.rows, columns: result.columns)
      _ = try bench.session.differentiate(try bench.node((result * weights).sum()))
    }
    for (index, name) in try #require(fixture["gradients"]?.arrayValue).enumerated() {
      guard let name = name.stringValue else { continue }
      let gradient = UnsafeBufferPointer(start: inputs[index].gradients, count: inputs[index].count)
      #expect(relativeDifference(gradient, try file.floats(name).array) < 1e-5, "gradient of input \(index)")
    }
  }
}

/// Calls the operator that a fixture names.
struct OperatorCase {
  let name: String
  let attributes: JSONValue

  init(_ fixture: JSONValue) throws {
    name = try #require(fixture["operator"]?.stringValue)
    attributes = try #require(fixture["attributes"])
  }

  private func number(_ key: String) throws -> Double { try #require(attributes[key]?.doubleValue) }
  private func integer(_ key: String) throws -> Int { try #require(attributes[key]?.intValue) }
  private func flag(_ key: String) throws -> Bool { try #require(attributes[key]?.boolValue as Bool?) }
  private func integers(_ key: String) throws -> [Int32] {
    try #require(attributes[key]?.arrayValue).map { Int32(try #require($0.intValue)) }
  }
  private func floats(_ key: String) throws -> [Float]? {
    try attributes[key]?.arrayValue?.map { Float(try #require($0.doubleValue)) }
  }
  private func axis() throws -> Tensor.Axis {
    switch attributes["axis"]?.stringValue {
    case "rows": .rows
    case "columns": .columns
    default: .all
    }
  }

  func apply(_ x: [Tensor]) throws -> Tensor {
    switch name {
    case "add": x[0] + x[1]
    case "subtract": x[0] - x[1]
    case "multiply": x[0] * x[1]
    case "divide": x[0] / x[1]
    case "relu": x[0].relu()
    case "gelu": x[0].gelu()
    case "gelu_tanh": x[0].geluTanh()
    case "tanh": x[0].tanh()
    case "sigmoid": x[0].sigmoid()
    case "silu": x[0].silu()
    case "exp": x[0].exp()
    case "log": x[0].log()
    case "sqrt": x[0].squareRoot()
    case "softmax": x[0].softmax()
    case "log_softmax": x[0].logSoftmax()
    case "transpose": x[0].transposed()
    default: try applyWithAttributes(x)
    }
  }

  private func applyWithAttributes(_ x: [Tensor]) throws -> Tensor {
    switch name {
    case "affine": return x[0].affine(scale: Float(try number("scale")), shift: Float(try number("shift")))
    case "matmul":
      return x[0].matmul(x[1], transposed: try flag("transpose_a"), transposedOther: try flag("transpose_b"))
    case "linear": return x[0].linear(x[1], bias: try flag("has_bias") ? x[2] : nil)
    case "layer_norm": return x[0].layerNorm(gain: x[1], bias: x[2], epsilon: try number("epsilon"))
    case "rms_norm": return x[0].rmsNorm(gain: x[1], epsilon: try number("epsilon"))
    case "sum": return x[0].sum(over: try axis())
    case "mean": return x[0].mean(over: try axis())
    case "reshape": return x[0].reshaped(rows: try integer("rows"), columns: try integer("columns"))
    case "gather_rows": return x[0].rows(at: try integers("rows"))
    case "assemble_rows":
      let (sources, rows) = (try integers("source_of"), try integers("row_of"))
      return Tensor(
        handle: Tensor.ops?.assemble_rows(x.map(\.handle), x.count, sources, rows, rows.count))
    case "mean_rows":
      return try integers("rows").withUnsafeBufferPointer { rows in
        try integers("offsets").withUnsafeBufferPointer { x[0].meanRows(at: rows, offsets: $0) }
      }
    case "concatenate_columns": return .concatenatingColumns(x)
    case "slice_columns":
      let begin = try integer("begin")
      return x[0].columns(begin..<begin + (try integer("count")))
    case "cross_entropy":
      return try integers("targets").withUnsafeBufferPointer {
        x[0].crossEntropy($0, classWeights: try floats("class_weights"), smoothing: try number("smoothing"))
      }
    case "sigmoid_cross_entropy": return x[0].sigmoidCrossEntropy(try #require(try floats("targets")))
    case "rotary":
      let session = try #require(Session.current)
      let angles = RotaryAngles(
        frequencies: try #require(try floats("frequencies")), scale: Float(try number("scale")))
      let positions = try integers("positions")
      let operation = RotaryOperation(
        heads: try integer("heads"), isInterleaved: try flag("interleaved"), positions: positions,
        table: RotaryTable(angles, last: positions.max() ?? 0))
      let node = try #require(session.node(x[0].handle, "rotary"))
      return Tensor(
        handle: session.handle(for: Node(operation, [node], rows: node.rows, columns: node.columns)))
    default:
      Issue.record("no operator '\(name)'")
      return x[0]
    }
  }
}

extension AttentionOperation {
  /// From a fixture's attributes: segments with the rows they query and see, causal or not.
  init(fixture: JSONValue, rows: Int) throws {
    func bounds(_ value: JSONValue?) throws -> Range<Int32> {
      let pair = try #require(value?.arrayValue).map { Int32(try #require($0.intValue)) }
      return pair[0]..<pair[1]
    }
    var visible = [Int32](repeating: 0, count: rows)
    var isCausal = false
    let segments = try #require(fixture["segments"]?.arrayValue).map { segment in
      let keys = try #require(segment["keys"]?.arrayValue).map {
        Keys(
          source: Int32(try #require($0["source"]?.intValue)),
          rows: Int32(try #require($0["begin"]?.intValue))..<Int32(try #require($0["end"]?.intValue)))
      }
      let queries = try bounds(segment["queries"])
      let count = keys.reduce(0) { $0 + Int32($1.rows.count) }
      let causal = segment["causal"]?.boolValue ?? false
      isCausal = isCausal || causal
      for (place, row) in queries.enumerated() {
        visible[Int(row)] = causal ? count - Int32(queries.count) + Int32(place) + 1 : count
      }
      return AttentionSegment(queries: queries, keys: keys)
    }
    self.init(
      heads: try #require(fixture["heads"]?.intValue),
      keyValueHeads: try #require(fixture["kv_heads"]?.intValue),
      segments: segments, visible: isCausal ? visible : nil)
  }

  private typealias Keys = AttentionSegment.Keys
}
