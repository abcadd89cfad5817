import PTuneEngine
import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

/// Real plugins against transformers, PEFT and PyTorch references on tiny checkpoints.
@Suite("References") struct ReferenceTests {
  @Test(
    "hidden rows equal transformers' for sequences of unequal lengths, in one batch and alone",
    arguments: [
      ("tiny-bert", "bert-forward"), ("tiny-bert-classifier", "bert-forward"),
      ("tiny-distilbert", "distilbert-forward"), ("tiny-roberta", "roberta-forward"),
    ])
  func forward(_ checkpoint: String, _ reference: String) throws {
    let cases = Workbench.cases(reference)
    let file = try #require(cases.first).tensors()
    let model = try Workbench.base(checkpoint: "\(Workbench.fixtures)/\(checkpoint)")
    let sequences = try cases.map {
      PackedBatch.Sequence(
        tokens: try $0.json.integers("tokens"), tokenTypes: try $0.json.integers("token_types"))
    }
    let expected = try cases.map {
      try file.floats(try #require($0.json.list("hidden").last?.stringValue)).array
    }
    let together = try model.hiddenRows(PackedBatch(sequences, training: false)).values
    #expect(absoluteDifference(together, expected.flatMap { $0 }) < 1e-5)
    for (sequence, expected) in zip(sequences, expected) {
      let alone = try model.hiddenRows(PackedBatch([sequence], training: false)).values
      #expect(absoluteDifference(alone, expected) < 1e-5)
    }
  }

  @Test(
    "an encoder's scores of its vocabulary equal transformers'",
    arguments: Workbench.cases("vocabulary-scores"))
  func vocabulary(_ fixture: FixtureCase) throws {
    let model = try Workbench.base(checkpoint: "\(Workbench.fixtures)/\(fixture.json.text("name"))")
    let sequence = PackedBatch.Sequence(tokens: try fixture.json.integers("tokens"))
    let scores = try model.vocabularyScores(PackedBatch([sequence], training: false))
    let expected = try fixture.tensors().floats(try fixture.json.text("scores")).array
    #expect(relativeDifference(scores, expected) < 1e-5)
  }

  @Test(
    "a step's loss, scores and gradients equal PyTorch's",
    arguments: [
      "peft", "projections", "prompt-tuning", "prefix-tuning", "p-tuning", "p-tuning-v2", "prompt-pool",
      "prompt-pool-forms", "heads",
      "token-classification", "regression", "distilbert", "roberta", "cloze", "cloze-distilbert",
      "cloze-roberta", "extractive-qa", "multiple-choice", "multi-label", "decoders",
      "sites-bert-classifier", "sites-distilbert", "sites-roberta", "sites-decoders",
      "residual-prompt-tuning",
    ].flatMap { Workbench.cases("steps/\($0)") })
  func steps(_ fixture: FixtureCase) throws {
    let file = try fixture.tensors()
    let json = fixture.json
    let composition = try Workbench.compose(
      checkpoint: try json.text("checkpoint"), adapter: try StepFixture.adapter(json),
      selector: try StepFixture.selector(json), head: try StepFixture.head(json),
      template: json["template"]?.stringValue)
    let parameters = try json.list("parameters")
    try #require(composition.model.parameters.count == parameters.count)
    for (parameter, stored) in zip(composition.model.parameters, parameters) {
      let values = try layout(file.floats(try stored.text("value")), stored)
      try #require(values.count == parameter.count, "\(parameter.name)")
      for (index, value) in values.enumerated() { parameter.values[index] = value }
    }
    let batch = try StepFixture.batch(try #require(json["batch"]))
    let passes = json["passes"]?.intValue ?? 1
    for _ in 1..<passes { _ = try composition.model.loss(batch) }
    let loss = try composition.model.differentiate(batch)
    #expect(relativeDifference([loss], try file.floats(try json.text("loss")).array) < 1e-5, "loss")
    if passes == 1 {
      let scores = try composition.model.scores(batch).perExample.flatMap { $0 }
      #expect(relativeDifference(scores, try file.floats(try json.text("logits")).array) < 1e-5, "scores")
    }
    for (parameter, stored) in zip(composition.model.parameters, parameters) {
      let expected = try layout(file.floats(try stored.text("gradient")), stored)
      let gradient = UnsafeBufferPointer(start: parameter.gradients, count: parameter.count)
      // What shifts all scores of a softmax alike has no gradient, and both have rounding errors there.
      let vanishes = expected.allSatisfy { abs($0) < 1e-12 } && gradient.allSatisfy { abs($0) < 1e-6 }
      #expect(
        vanishes || relativeDifference(gradient, expected) < 1e-4,
        "gradient of \(parameter.owner).\(parameter.name)")
    }
  }

  /// The reference keeps hidden prefixes as [layers, tokens, hidden]; ptune keeps a row per token.
  private func layout(_ tensor: FloatTensor, _ stored: JSONValue) throws -> [Float] {
    let shape = tensor.shape
    guard try stored.text("name") == "hidden_prefix", shape.count == 3 else { return tensor.array }
    let values = tensor.array
    let (layers, tokens, hidden) = (shape[0], shape[1], shape[2])
    var rows: [Float] = []
    for token in 0..<tokens {
      for layer in 0..<layers {
        let begin = (layer * tokens + token) * hidden
        rows += values[begin..<begin + hidden]
      }
    }
    return rows
  }
}
