import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

/// What adapters attach to the linear layers that a base model named.
@Suite("Sites") struct SiteTests {
  /// The tiny transformer with an adapter that gets its parameters, `[r, 16]` and `[outputs, r]` and so on, and the sites.
  private func model(
    causal: Bool = false, parameters: [[Int]] = [],
    _ inject: @escaping ([Tensor], [Site], Injections) throws -> Void
  ) throws -> Model {
    let model = Model.forTesting()
    try model.useTwinBase(causal: causal)
    try model.useTwinAdapter {
      let sites = Site.all
      return try TwinAdapter(parameters: parameters) { try inject($0, sites, $2) }
    }
    try model.useTwinHead(causal ? .mean : .first)
    return model
  }

  private func site(_ name: String, _ sites: [Site]) throws -> Site {
    try #require(sites.first { $0.name == name })
  }

  private func refusal(
    _ inject: @escaping ([Tensor], [Site], Injections) throws -> Void
  ) throws -> String? {
    let model = try model(parameters: [[2, 16], [16, 2], [1, 16]], inject)
    return #expect(throws: EngineFailure.self) { try model.loss(.forTesting()) }?.reason
  }

  @Test("a base model's sites are known by name, layer, roles and size")
  func names() throws {
    let model = Model.forTesting()
    try model.useTwinBase()
    var found: [Site] = []
    try model.useTwinAdapter {
      found = try Site.matching(["query", "down"])
      return try TwinAdapter(parameters: []) { _, _, _ in }
    }
    #expect(
      found.map(\.name) == ["layers.0.query", "layers.0.down", "layers.1.query", "layers.1.down"])
    let down = try site("layers.1.down", found)
    #expect(down.layer == 1 && down.roles == .feedForwardOut && down.inputs == 24 && down.outputs == 16)
  }

  @Test("a target that no layer meets is refused with what there is")
  func unknownTarget() throws {
    let model = Model.forTesting()
    try model.useTwinBase()
    let failure = #expect(throws: EngineFailure.self) {
      try model.useTwinAdapter {
        _ = try Site.matching(["query", "q_proj"])
        return try TwinAdapter(parameters: []) { _, _, _ in }
      }
    }
    let reason = try #require(failure?.reason)
    #expect(
      reason.hasPrefix("the base model has no linear layer 'q_proj'; there are all-linear, query, key, value")
    )
    #expect(reason.contains("layers.0.query"))
  }

  @Test(
    "gradients are right with several deltas and scalings at one site, with dropout and prompt rows",
    arguments: [false, true])
  func gradients(causal: Bool) throws {
    let model = try model(
      causal: causal,
      parameters: [[2, 16], [16, 2], [3, 16], [16, 3], [1, 16], [1, 16], [1, 24], [2, 16], [2, 16]]
    ) { values, sites, injections in
      let value = try site("layers.0.value", sites)
      try injections.lowRank(values[0], values[1], at: value, scale: 1.5, dropout: 0.4)
      try injections.lowRank(values[2], values[3], at: value, scale: -0.5)
      try injections.scale(inputsOf: value, by: values[4])
      try injections.scale(outputsOf: value, by: values[5])
      try injections.scale(inputsOf: try site("layers.1.down", sites), by: values[6])
      try injections.input(values[7], at: .start)
      try injections.hiddenPrefix(values[8], layer: 0)
    }
    let report = try GradientCheck().run(model, on: .forTesting())
    #expect(report.passes, "\(report)")
    #expect(report.entries.allSatisfy { $0.norm > 1e-5 }, "\(report)")
  }

  @Test("the last layer still computes only the rows that the head asks for")
  func pruned() throws {
    let batch = PackedBatch.forTesting(lengths: [5, 1, 3])
    let model = try model(parameters: [[2, 16], [16, 2]]) { values, sites, injections in
      for site in sites where site.roles == .query {
        try injections.lowRank(values[0], values[1], at: site, scale: 1)
      }
    }
    let session = model.session
    let plan = try session.scoped {
      let pass = ForwardPass(batch: batch, injections: try model.inject(batch), causal: false)
      let hidden = try model.run(pass)
      let rows = try session.call(ComponentIdentity(component: "test", owner: "test"), "test") { _ in
        try #require(session.node(hidden.rows(at: pass.layout.firstRow).handle, "test"))
      }
      return Planner.plan([rows], among: session.nodes).order
    }
    #expect(plan.filter { $0.operation is LowRankLinearOperation }.map(\.rows) == [9, 3])
    #expect(plan.filter { $0.operation is LinearOperation }.map(\.rows) == [9, 3])
  }

  @Test("without anything attached, and beside what is attached, products are as they were")
  func untouched() throws {
    func scores(_ inject: @escaping ([Tensor], [Site], Injections) throws -> Void) throws -> [[Float]] {
      try model(parameters: [[2, 16], [16, 2]], inject).scores(.forTesting()).perExample
    }
    let plain = try scores { _, _, _ in }
    let neutral = try scores { values, sites, injections in
      let site = try #require(sites.first)
      try injections.lowRank(values[0], .filled(0, rows: site.outputs, columns: 2), at: site, scale: 3)
      try injections.scale(outputsOf: site, by: .filled(1, rows: 1, columns: site.outputs))
    }
    #expect(neutral == plain)
    let changed = try scores { values, sites, injections in
      try injections.lowRank(values[0], values[1], at: sites[0], scale: 3)
    }
    #expect(changed != plain)
  }

  @Test("what does not fit a site is refused by its name")
  func refusals() throws {
    #expect(
      try refusal { values, sites, injections in
        try injections.lowRank(values[0], values[1], at: try site("layers.0.up", sites), scale: 1)
      } == "injection of low_rank: 'layers.0.up': A [2, 16] and B [16, 2] for 16 inputs and 24 outputs")
    #expect(
      try refusal { values, sites, injections in
        try injections.lowRank(values[0], values[1], at: sites[0], scale: .infinity)
      }?.contains("the scale has to be finite") == true)
    #expect(
      try refusal { values, sites, injections in
        try injections.scale(inputsOf: try site("layers.1.down", sites), by: values[2])
      } == "injection of scale_inputs: 'layers.1.down': factors [1, 16] for 24 inputs")
  }
}
