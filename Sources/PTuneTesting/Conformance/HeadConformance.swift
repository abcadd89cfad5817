import PTune
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins

/// What a task head has to hold, on a tiny model and some rows.
struct HeadConformance {
  let bench: PluginBench
  let choice: ComponentChoice
  /// Rows of several kinds, of which those are taken that the head accepts.
  private let candidates: [[[String: String]]]
  private let isCausal: Bool
  private let parity: ParityFile?

  init(
    _ bench: PluginBench, _ component: ComponentDescription, _ choice: ComponentChoice,
    _ options: PluginConformance.Options
  ) {
    self.bench = bench
    parity = options.parity
    var choice = choice
    let parameters = component.schema.parameters
    let takesLabels = parameters.contains { $0.name == "labels" && $0.type == .strings }
    if takesLabels, choice.hyperparameters["labels"] == nil {
      choice.hyperparameters["labels"] = .strings(Self.labels)
    }
    // Dropout would hide whether scores are right.
    if parameters.contains(where: { $0.name == "dropout" }), choice.hyperparameters["dropout"] == nil {
      choice.hyperparameters["dropout"] = .double(0)
    }
    self.choice = choice
    candidates = options.rows.map { [$0] } ?? Self.rows(choice)
    isCausal = (try? bench.reading(head: choice.plugin)) == .continuedText
  }

  /// Two labels, of which one shows what becomes of quotes and backslashes.
  private static let labels = ["a", #"say "b" \ c"#]

  /// Rows for heads of a label, a number, tags, an answer, or a choice.
  private static func rows(_ choice: ComponentChoice) -> [[[String: String]]] {
    var labels = Self.labels
    if case .strings(let given)? = choice.hyperparameters["labels"], !given.isEmpty { labels = given }
    let texts = ["a good film", "dull it was", "great great fun", "bad bad bad"]
    func rows(_ fields: (_ text: String, _ index: Int) -> [String: String]) -> [[String: String]] {
      texts.enumerated().map { index, text in
        ["text": text, "text_pair": text].merging(fields(text, index)) { $1 }
      }
    }
    return [
      rows { ["label": labels[$1 % labels.count]] },
      rows { ["label": "\($1 % 2)"] },
      // Each text has three words.
      rows {
        let tag = JSONValue.string(labels[$1 % labels.count])
        return ["label": JSONValue.array([tag, .string(labels[0]), tag]).text(.line)]
      },
      rows { text, _ in ["label": #"{"text": ["\#(text.prefix(3))"], "answer_start": [0]}"#] },
      rows { ["choices": #"["good", "bad"]"#, "label": "\($1 % 2)"] },
    ]
  }

  var checks: [ConformanceCheck] {
    let probe = ModelProbe(
      make: { try model(choice) }, batch: { try batch($0, training: $1) }, more: predictAndMeasure,
      owner: ParameterOwner.head("test"))
    var checks = [
      ConformanceCheck("it is created", isNeeded: true) {
        let model = try model(choice)
        return .passed("\(model.trainableCount(of: ParameterOwner.head("test"))) trained values")
      },
      probe.declared, encodes, probe.parametersAlone, probe.repeatable, probe.gradients, probe.deterministic,
      probe.sameInTraining, probe.learning, probe.independent, probe.instances, predicts, agrees, unlabelled,
      measures, aggregates, improves, probe.meanLoss, probe.memory, probe.stops, probe.leakFree,
    ]
    if let parity { checks.append(parity.check { try model(parity.choice(choice)) }) }
    return checks
  }

  func model(_ choice: ComponentChoice) throws -> Model {
    let model = Model.forTesting(threads: 1)
    var labels: [String] = []
    if case .strings(let given)? = choice.hyperparameters["labels"] { labels = given }
    model.setTasks([TaskFacts(name: "test", labels: labels) { TwinText.tokens($0) }])
    try model.useTwinBase(causal: isCausal, maskToken: TwinText.mask)
    try bench.useHead(choice, in: model)
    return model
  }

  // MARK: - Rows

  /// A row as the head sees it: the texts' bytes are its tokens, with a mask behind them.
  func layOut(_ fields: [String: String], _ model: Model) throws -> ExampleRow {
    var texts = [(fields["text"] ?? "", fields["text_pair"])]
    if model.arranges(task: 0) {
      texts = try model.arrange(ExampleRow(fields: fields), task: 0).map { ($0.first, $0.second) }
    }
    var tokens: [Int32] = []
    var spans: [(field: Int, range: Range<Int>)] = []
    var offsets: [Int32] = [0]
    for (first, second) in texts {
      for (field, text) in [first, second ?? ""].enumerated() {
        let pieces = TwinText.tokens(text)
        tokens += pieces
        spans += pieces.indices.map { (field, $0..<$0 + 1) }
      }
      tokens.append(TwinText.mask)
      spans.append((-1, 0..<0))
      offsets.append(Int32(tokens.count))
    }
    return ExampleRow(fields: fields, tokens: tokens, spans: spans, offsets: offsets)
  }

  /// The first rows that the head accepts.
  ///
  /// - Throws: why it does not accept the first ones, if it accepts none.
  func rows(_ model: Model) throws -> [[String: String]] {
    var refusal: (any Error)?
    for rows in candidates {
      do {
        for fields in rows { _ = try model.encode(layOut(fields, model), task: 0) }
        return rows
      } catch {
        refusal = refusal ?? error
      }
    }
    throw ComponentFailure("\(refusal.map { "\($0)" } ?? ""); give suitable rows with --rows FILE.jsonl")
  }

  func batch(_ model: Model, training: Bool) throws -> PackedBatch {
    PackedBatch(
      examples: try rows(model).map { fields in
        let row = try layOut(fields, model)
        let targets = try model.encode(row, task: 0)
        return row.sequences.enumerated().map { index, tokens in
          PackedBatch.Sequence(
            tokens: tokens, integers: index == 0 ? targets.integers : [],
            numbers: index == 0 ? targets.numbers : [])
        }
      }, training: training)
  }

  // MARK: - Checks

  private var encodes: ConformanceCheck {
    ConformanceCheck("it turns rows into targets", isNeeded: true) {
      let model = try model(choice)
      let rows = try rows(model)
      let targets = try rows.map { try model.encode(layOut($0, model), task: 0) }
      let counts = targets.map { $0.integers.count + $0.numbers.count }
      return .passed(
        "\(rows.count) rows, \(counts.min() ?? 0) to \(counts.max() ?? 0) targets each")
    }
  }

  private var predicts: ConformanceCheck {
    ConformanceCheck("it says what scores mean, in JSON") {
      let model = try model(choice)
      let scores = try model.scores(batch(model, training: false))
      var keys: [String] = []
      for (fields, row) in zip(try rows(model), scores.perExample) {
        let members = try model.predict(row, columns: scores.columns, layOut(fields, model), task: 0)
        for member in members where !isJSON(member.json) {
          return .failed("'\(member.key)' is given \(member.json), which is not JSON")
        }
        keys = members.map(\.key)
      }
      return keys.isEmpty ? .failed("a prediction has no member") : .passed(keys.joined(separator: ", "))
    }
  }

  private var measures: ConformanceCheck {
    ConformanceCheck("it measures an evaluation") {
      let metrics = try metrics(try model(choice))
      guard let first = metrics.first else { return .failed("it states no metric") }
      if let bad = metrics.first(where: { !$0.value.isFinite }) {
        return .failed("'\(bad.name)' is \(bad.value)")
      }
      return .passed("by \(first.name); " + metrics.map(\.name).joined(separator: ", "))
    }
  }
}

/// Text for a ``TinyTransformer``: each byte is a token.
enum TwinText {
  /// The token of the mask.
  static let mask: Int32 = 1

  static func tokens(_ text: String) -> [Int32] {
    text.utf8.map { 2 + Int32($0) % Int32(TinyTransformer.vocabularySize - 2) }
  }
}
