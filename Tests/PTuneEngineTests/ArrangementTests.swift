import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

@Suite("Examples of several sequences") struct ArrangementTests {
  /// The twin's head over a row's texts, each a sequence; the mean of an example's first scores is its loss.
  private final class Several: ArrangingHead {
    static let scoreRows = ScoreRows.perSequence
    private let head: TwinHead
    let arranges: (Example, Arrangement) throws -> Void
    var offsets: [Int32] = []
    var targets: [Int32] = []
    var seen: [String] = []

    init(_ arranges: @escaping (Example, Arrangement) throws -> Void) throws {
      head = try TwinHead(.first)
      self.arranges = arranges
    }

    func arrange(_ example: Example, into arrangement: Arrangement) throws {
      try arranges(example, arrangement)
    }
    func encode(_ example: Example, into targets: Targets) throws {}
    func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor { try head.scores(hidden, batch) }
    func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
      (offsets, targets) = (Array(batch.exampleOffsets), Array(batch.integerTargets))
      return scores.columns(0..<1).grouped(by: batch.exampleOffsets).crossEntropy(batch.integerTargets)
    }
    func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {}
    func measure(_ evaluation: Evaluation) throws {
      var rows = [try evaluation.example(0)]
      for index in 0..<evaluation.count {
        rows.append(try evaluation.example(index))
        seen.append(rows[rows.count - 1].field("name") ?? "")
      }
      // Only the latest row is still there.
      _ = rows[0].field("name")
    }
  }

  private func model(
    _ arranges: @escaping (Example, Arrangement) throws -> Void = { _, _ in }
  ) throws -> (Model, Several) {
    let model = Model.forTesting()
    try model.useTwinBase()
    var made: Several?
    try model.addHead(ComponentIdentity(component: "task head several", owner: "head.several")) { _ in
      let head = try Several(arranges)
      made = head
      return head
    }
    return (model, try #require(made))
  }

  private func sequence(_ tokens: [Int32], _ integers: [Int32] = []) -> PackedBatch.Sequence {
    PackedBatch.Sequence(tokens: tokens, integers: integers)
  }

  @Test("a batch keeps an example's sequences together, and its scores come together")
  func batch() throws {
    let (model, head) = try model()
    let (a, b, c) = (sequence([1, 2, 3], [1]), sequence([4]), sequence([5, 6], [0]))
    let batch = PackedBatch(examples: [[a, b], [c]], training: true)
    _ = try model.differentiate(batch)
    #expect(head.offsets == [0, 2, 3])
    #expect(head.targets == [1, 0])
    #expect(batch.integerOffsets == [0, 1, 2])
    let (scores, columns, _) = try model.scores(batch)
    #expect(scores.map(\.count) == [2 * columns, columns])
    let alone = try model.scores(PackedBatch([a, b, c], training: false)).perExample
    #expect(scores == [alone[0] + alone[1], alone[2]])
  }

  @Test("the softmax of a group is over what it has")
  func groups() throws {
    let (model, _) = try model()
    // A group of one has only one choice: it costs nothing, whatever its score.
    let loss = try model.loss(PackedBatch(examples: [[sequence([5, 6], [0])]], training: false))
    #expect(loss == 0)
    let pair = PackedBatch(examples: [[sequence([1], [0]), sequence([2])]], training: false)
    let both = PackedBatch(
      examples: [[sequence([1], [0]), sequence([2])], [sequence([5, 6], [0])]], training: false)
    #expect(abs(try model.loss(pair) - 2 * model.loss(both)) < 1e-6)
  }

  @Test("what a head lays out is handed on as it is given")
  func inputs() throws {
    let (model, _) = try model { example, arrangement in
      try arrangement.input(example.field("a") ?? "")
      try arrangement.input("b", "c", cut: .first)
      try arrangement.windows("d", "e", over: .second, overlap: 0)
    }
    let inputs = try model.arrange(ExampleRow(fields: ["a": "ä\u{301}"]), task: 0)
    #expect(
      inputs == [
        .init(first: "ä\u{301}", second: nil, cut: .longer, overlap: nil),
        .init(first: "b", second: "c", cut: .first, overlap: nil),
        .init(first: "d", second: "e", cut: .second, overlap: 0),
      ])
  }

  @Test("a row without sequences, and texts that do not go together, are refused")
  func refusals() throws {
    func reason(_ arranges: @escaping (Example, Arrangement) throws -> Void) throws -> String {
      do {
        _ = try model(arranges).0.arrange(ExampleRow(fields: [:]), task: 0)
        return "no failure"
      } catch let failure as EngineFailure {
        return failure.reason
      }
    }
    #expect(try reason { _, _ in } == "arrange made no sequence")
    #expect(
      try reason { try $1.input("a", cut: .second) }
        == "input: cut 2 with overlap -1 does not fit these texts")
    #expect(
      try reason { try $1.windows("a", "b", over: .longer, overlap: 3) }
        == "input: cut 0 with overlap 3 does not fit these texts")
  }

  @Test("a measure sees each row of an evaluation, one at a time")
  func rows() throws {
    let (model, head) = try model()
    let record = EvaluationRecord()
    for name in ["x", "y"] {
      record.add(scores: [0, 0, 0], columns: 3, integers: [], numbers: []) {
        ExampleRow(fields: ["name": name])
      }
    }
    let failure = #expect(throws: EngineFailure.self) { try model.measure(record, task: 0) }
    #expect(head.seen == ["x", "y"])
    #expect(failure?.reason == "got a pointer that is no example of this step")
  }
}
