import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

@Suite("Layouts") struct LayoutTests {
  /// Where rows stand: letters for the text of all sequences, digits for rows of the first injection, others follow
  /// after a prime; a bar between segments.
  private func picture(_ layout: Layout) -> String {
    func name(_ row: Layout.Row) -> String {
      row.source == 0
        ? String(UnicodeScalar(UInt8(97 + row.index)))
        : "\(row.index)" + String(repeating: "'", count: Int(row.source) - 1)
    }
    let segments = (layout.shared.isEmpty ? [] : [layout.shared]) + layout.sequences
    return segments.map { $0.map { name(layout.rows[Int($0)]) }.joined() }.joined(separator: "|")
  }

  private func layout(
    _ lengths: [Int], _ inputs: [(rows: Int, placement: Placement, perSequence: Bool)], causal: Bool = false,
    firstPosition: Int = 0
  ) -> Layout {
    let batch = PackedBatch.forTesting(lengths: lengths)
    let injections = InjectionSet(batch: batch)
    injections.firstPosition = firstPosition
    for input in inputs {
      let node = Node(
        ConstantLeaf(values: Array(repeating: 0, count: input.rows)), [], rows: input.rows, columns: 1)
      injections.inputs.append(.init(rows: node, placement: input.placement, perSequence: input.perSequence))
    }
    return Layout(batch, injections, causal: causal)
  }

  @Test(
    "a prompt stands at its place in sequences of one, two and three tokens",
    arguments: [
      (Placement.start, "01a|01bc|01def"), (.afterFirst, "a01|b01c|d01ef"), (.middle, "01a|b01c|d01ef"),
      (.end, "a01|bc01|def01"),
    ])
  func placements(_ placement: Placement, _ expected: String) {
    let layout = layout([1, 2, 3], [(2, placement, false)])
    #expect(picture(layout) == expected)
    #expect(layout.positions == [0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 4])
    #expect(layout.textRows.map { layout.rows[Int($0)].index } == [0, 1, 2, 3, 4, 5])
    #expect(layout.textRows.allSatisfy { layout.rows[Int($0)].source == 0 })
    #expect(layout.firstRow == [0, 3, 7])
  }

  @Test(
    "several injections stand in the order they were made, each sequence with its own rows where it has some")
  func several() {
    let inputs: [(rows: Int, placement: Placement, perSequence: Bool)] = [
      (1, .start, false), (4, .end, true), (1, .start, false), (2, .afterFirst, true),
    ]
    #expect(picture(layout([1, 3], inputs)) == "00''a0'''0'1'|00''b1'''cd2'3'")
  }

  @Test("a causal model computes a prompt at the start once, before all sequences")
  func shared() {
    let layout = layout([1, 2], [(2, .start, false), (2, .start, true), (1, .end, false)], causal: true)
    #expect(picture(layout) == "01|0'a0''|1'bc0''")
    #expect(layout.positions == [0, 1, 2, 3, 4, 2, 3, 4, 5])
    #expect(layout.firstRow == [0, 0])
    let plan = layout.segments(hiddenRows: 0) { _ in [] }
    #expect(plan.segments.map(\.queries) == [0..<2, 2..<5, 5..<9])
    #expect(plan.segments.map { $0.keys.map(\.rows) } == [[0..<2], [0..<2, 2..<5], [0..<2, 5..<9]])
    #expect(plan.visible == [1, 2, 3, 4, 5, 3, 4, 5, 6])
  }

  @Test("rows stand in order at the marks of each sequence, shared or its own, in causal models too")
  func marks() {
    let batch = PackedBatch(
      [(2, [0, 1, 1]), (3, [0, 3, 3])].map { length, marks in
        PackedBatch.Sequence(tokens: Array(repeating: 0, count: length), marks: marks)
      }, training: false)
    for causal in [false, true] {
      let injections = InjectionSet(batch: batch)
      for (rows, perSequence) in [(2, true), (2, false)] {
        let node = Node(ConstantLeaf(values: [0, 0]), [], rows: rows, columns: 1)
        injections.inputs.append(.init(rows: node, placement: .template, perSequence: perSequence))
      }
      #expect(injections.disagreement(tasks: [], causal: false) == nil)
      let layout = Layout(batch, injections, causal: causal)
      #expect(picture(layout) == "0a0'1'b|1cde0'1'")
      #expect(layout.positions == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5])
      #expect(layout.textRows == [1, 4, 6, 7, 8])
      #expect(layout.shared.isEmpty)
    }
  }

  @Test(
    "rows and marks that do not agree are named",
    arguments: [
      (
        [], 2,
        "placement 'template': the data of task 'tone' has no template with {prompt} for its rows"
      ),
      (
        [0], 0,
        "the template of task 'tone' has {prompt}, but the adapter puts no rows there; set 'placement: "
          + "template', or use an adapter that has it, such as p-tuning"
      ),
      ([0, 1, 1], 2, "the template of task 'tone' has places for 3 virtual tokens, but the adapter has 2"),
      ([0, 1], 2, nil), ([], 0, nil),
    ] as [([Int32], Int, String?)])
  func disagreements(_ marks: [Int32], _ rows: Int, _ expected: String?) {
    let batch = PackedBatch([PackedBatch.Sequence(tokens: [0], marks: marks)], training: false)
    let injections = InjectionSet(batch: batch)
    if rows > 0 {
      let node = Node(ConstantLeaf(values: [0, 0]), [], rows: rows, columns: 1)
      injections.inputs.append(.init(rows: node, placement: .template, perSequence: false))
    }
    #expect(injections.disagreement(tasks: [TaskFacts(name: "tone")], causal: false) == expected)
  }

  @Test("in a causal model a prompt behind the text, where no token sees it, is named")
  func unseen() {
    let tasks = [TaskFacts(name: "tone")]
    func disagreement(_ placement: Placement, marks: [Int32]) -> String? {
      let batch = PackedBatch([PackedBatch.Sequence(tokens: [0, 0], marks: marks)], training: false)
      let injections = InjectionSet(batch: batch)
      let node = Node(ConstantLeaf(values: [0, 0]), [], rows: 2, columns: 1)
      injections.inputs.append(.init(rows: node, placement: placement, perSequence: false))
      #expect(injections.disagreement(tasks: tasks, causal: false) == nil)
      return injections.disagreement(tasks: tasks, causal: true)
    }
    #expect(
      disagreement(.end, marks: [])
        == "placement 'end': in a causal model, no token sees what follows it; use 'placement: start'")
    #expect(
      disagreement(.template, marks: [0, 2])
        == "the template of task 'tone' ends with {prompt}: in a causal model, no token sees what follows it; "
        + "put text after {prompt}")
    #expect(disagreement(.template, marks: [0, 1]) == nil)
    #expect(disagreement(.middle, marks: []) == nil)
  }

  @Test("the first position moves the whole text")
  func firstPosition() {
    #expect(layout([2, 1], [(1, .afterFirst, false)], firstPosition: 4).positions == [4, 5, 6, 4, 5])
  }

  @Test("hidden prefix rows have positions of their own among the keys, each sequence's from 0")
  func keyPositions() throws {
    let bench = OperatorBench()
    try bench.session.scoped {
      let batch = PackedBatch.forTesting(lengths: [2, 1])
      let injections = InjectionSet(batch: batch)
      injections.firstPosition = 3
      func rows(_ count: Int) throws -> Node { try bench.node(.filled(0, rows: count, columns: 4)) }
      injections.prefixes[1] = [
        .init(rows: try rows(2), values: nil, perSequence: false),
        .init(rows: try rows(5), values: try rows(5), perSequence: false),
        .init(rows: try rows(4), values: nil, perSequence: true),
      ]
      let pass = ForwardPass(batch: batch, injections: injections, causal: true)
      let recorder = Recorder(bench.session, "test")
      #expect(pass.keyPositions(1, recorder) == nil)
      for layer in 0..<2 { _ = pass.keyRows(layer, try rows(3), recorder) }
      #expect(pass.keyPositions(0, recorder) == [3, 4, 3])
      #expect(pass.keyPositions(1, recorder) == [0, 1, 2, 3, 2, 3, 3, 4, 3])
    }
  }

  @Test("a shared causal prompt equals the same prompt given to each sequence, in loss and gradient")
  func sharedPrompt() throws {
    func run(perSequence: Bool) throws -> (loss: Float, scores: [Float], gradient: [Float], rows: Int) {
      let model = Model.forTesting()
      try model.useTwinBase(causal: true)
      try model.useTwinAdapter {
        try TwinAdapter(parameters: [[3, 16]]) { values, batch, injections in
          let rows =
            perSequence ? Tensor.concatenatingRows((0..<batch.count).map { _ in values[0] }) : values[0]
          try injections.input(rows, at: .start, perSequence: perSequence)
        }
      }
      try model.useTwinHead()
      let batch = PackedBatch.forTesting(lengths: [5, 1, 2, 7])
      let loss = try model.differentiate(batch)
      let prompt = try #require(model.parameters.first)
      return (
        loss, try model.scores(batch).perExample.flatMap { $0 },
        Array(UnsafeBufferPointer(start: prompt.gradients, count: prompt.count)),
        try model.hiddenRows(batch).values.count / 16
      )
    }
    let (shared, own) = (try run(perSequence: false), try run(perSequence: true))
    #expect(shared.rows == 3 + 15 && own.rows == 4 * 3 + 15)
    #expect(relativeDifference([shared.loss], [own.loss]) < 1e-6)
    #expect(relativeDifference(shared.scores, own.scores) < 1e-5)
    #expect(relativeDifference(shared.gradient, own.gradient) < 1e-5)
  }

  @Test("a sequence's scores do not depend on the batch it is in, prefixes and prompts of its own included")
  func independence() throws {
    let model = Model.forTesting()
    try model.useTwinBase()
    try model.useTwinAdapter {
      try TwinAdapter(parameters: [[2, 16], [1, 16]]) { values, batch, injections in
        // A row of a sequence's own: the prompt scaled by its first token.
        let own = batch.offsets.dropLast().map { values[1].affine(scale: Float(batch.tokens[Int($0)]) / 40) }
        try injections.input(.concatenatingRows(own), at: .afterFirst, perSequence: true)
        try injections.keyValuePrefix(
          keys: .concatenatingRows(own), values: .concatenatingRows(own), layer: 1, perSequence: true)
        try injections.hiddenPrefix(values[0], layer: 0)
      }
    }
    try model.useTwinHead()
    let sequences = [[3, 9, 1], [7], [20, 21, 22, 23], [5, 6]].map { tokens in
      PackedBatch.Sequence(tokens: tokens.map { Int32($0) }, integers: [0])
    }
    let together = try model.scores(PackedBatch(sequences, training: false)).perExample
    for (sequence, scores) in zip(sequences, together) {
      let alone = try model.scores(PackedBatch([sequence], training: false)).perExample[0]
      #expect(relativeDifference(alone, scores) < 1e-5)
    }
  }
}
