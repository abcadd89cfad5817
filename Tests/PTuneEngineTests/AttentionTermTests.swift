import PTuneFormats
import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

@Suite("Attention with terms") struct AttentionTermTests {
  @Test(
    "each term, and several together, give PyTorch's values and gradients",
    arguments: Fixtures.cases("attention-terms"))
  func reference(_ fixture: FixtureCase) throws {
    let fixture = fixture.json
    let file = try Fixtures.tensors("attention-terms")
    let bench = OperatorBench()
    let inputs = try #require(fixture["inputs"]?.arrayValue).map {
      bench.parameter(try file.floats(try #require($0.stringValue)))
    }
    let attributes = try #require(fixture["attributes"])
    var operation = try AttentionOperation(fixture: attributes, rows: inputs[0].rows)
    operation.scale = try #require(attributes["terms"])["scale"]?.doubleValue.map { Float($0) }
    operation.terms = try AttentionTerms(fixture: attributes)
    let expected = try file.floats(try #require(fixture["output"]?.stringValue)).array
    let cotangent = try file.floats(try #require(fixture["cotangent"]?.stringValue)).array
    try bench.session.scoped {
      let nodes = try inputs.map { try bench.node(bench.tensor($0)) }
      let output = Node(operation, nodes, rows: nodes[0].rows, columns: nodes[0].columns)
      let result = Tensor(handle: bench.session.handle(for: output))
      #expect(relativeDifference(try result.values(), expected) < 2e-6)
      let weights = Tensor.constant(cotangent, rows: result.rows, columns: result.columns)
      _ = try bench.session.differentiate(try bench.node((result * weights).sum()))
    }
    for (index, name) in try #require(fixture["gradients"]?.arrayValue).enumerated() {
      let gradient = UnsafeBufferPointer(start: inputs[index].gradients, count: inputs[index].count)
      let expected = try file.floats(try #require(name.stringValue)).array
      #expect(relativeDifference(gradient, expected) < 1e-5, "gradient of input \(index)")
    }
  }

  @Test("rows that are computed alone come out as among all")
  func restricted() throws {
    let fixture = try #require(
      Fixtures.cases("attention-terms").first { $0.json["name"]?.stringValue == "everything" })
    let file = try Fixtures.tensors("attention-terms")
    let bench = OperatorBench()
    let inputs = try #require(fixture.json["inputs"]?.arrayValue).map {
      bench.parameter(try file.floats(try #require($0.stringValue)))
    }
    let attributes = try #require(fixture.json["attributes"])
    var operation = try AttentionOperation(fixture: attributes, rows: inputs[0].rows)
    operation.scale = try #require(attributes["terms"])["scale"]?.doubleValue.map { Float($0) }
    operation.terms = try AttentionTerms(fixture: attributes)
    try bench.session.scoped {
      let nodes = try inputs.map { try bench.node(bench.tensor($0)) }
      let output = Node(operation, nodes, rows: nodes[0].rows, columns: nodes[0].columns)
      let all = Tensor(handle: bench.session.handle(for: output))
      let rows: [Int32] = [13, 0, 7, 8]
      let some = try all.rows(at: rows).values()
      let values = try all.values()
      for (place, row) in rows.enumerated() {
        let (own, other) = (place * all.columns, Int(row) * all.columns)
        #expect(
          relativeDifference(some[own..<own + all.columns], Array(values[other..<other + all.columns])) < 1e-6
        )
      }
    }
  }
}

extension AttentionTerms {
  /// From a fixture's attributes; its tables are the last inputs, in the order bias, content, position, sinks.
  init(fixture: JSONValue) throws {
    let places = try #require(fixture["places"])
    func integers(_ value: JSONValue?) throws -> [Int] {
      try #require(value?.arrayValue).map { try #require($0.intValue) }
    }
    var keys = KeyPlaces(queries: try integers(places["queries"]).map { Int32($0) })
    let sources = try #require(places["sources"]?.arrayValue)
    for (source, injected) in zip(sources, try #require(places["injected"]?.arrayValue)) {
      keys.appendSource(
        try integers(source).map { Int32($0) }, injected: try integers(injected).map { UInt8($0) })
    }
    self.init(places: keys)
    let terms = try #require(fixture["terms"])
    var input = 1 + 2 * sources.count
    func relative(_ name: String) throws -> Relative? {
      guard let term = terms[name] else { return nil }
      defer { input += 1 }
      return Relative(
        input: input, buckets: try integers(term["buckets"]).map { Int32($0) },
        first: Int32(try #require(term["first"]?.intValue)))
    }
    softCap = terms["soft_cap"]?.doubleValue.map { Float($0) } ?? 0
    slopes = try terms["slopes"]?.arrayValue?.map { Float(try #require($0.doubleValue)) }
    if let window = terms["window"] {
      self.window = Window(
        left: window["left"]?.intValue.map { Int32($0) } ?? .max,
        right: window["right"]?.intValue.map { Int32($0) } ?? .max,
        keepsInjected: try #require(window["keeps_injected"]?.boolValue as Bool?))
    }
    bias = try relative("bias")
    contentToPosition = try relative("content")
    positionToContent = try relative("position")
    if terms["sinks"] != nil { sinks = input }
  }
}
