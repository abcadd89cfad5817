import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneTerminal

/// Whether what a head encodes, predicts and measures is about the same thing.
extension HeadConformance {
  /// What the memory checks of a head exercise, in addition to its steps.
  func predictAndMeasure(_ model: Model) throws {
    let scores = try model.scores(batch(model, training: false))
    for (fields, row) in zip(try rows(model), scores.perExample) {
      _ = try model.predict(row, columns: scores.columns, layOut(fields, model), task: 0)
    }
    _ = try metrics(model)
  }

  /// The metrics of an evaluation of the rows in this order.
  ///
  /// - Parameters:
  ///   - order: the examples, by their numbers; nil for each once.
  ///   - scores: of each example, instead of the model's.
  func metrics(
    _ model: Model, order: [Int]? = nil, scores given: (perExample: [[Float]], columns: Int)? = nil
  ) throws -> [EvaluationRecord.Metric] {
    let batch = try batch(model, training: false)
    let own = try model.scores(batch, forEvaluation: true)
    let (perExample, columns) = given ?? (own.perExample, own.columns)
    let rows = try rows(model)
    let record = EvaluationRecord()
    for example in order ?? Array(rows.indices) {
      let integers = batch.integerOffsets[example]..<batch.integerOffsets[example + 1]
      let numbers = batch.numberOffsets[example]..<batch.numberOffsets[example + 1]
      record.add(
        scores: perExample[example], columns: columns, integers: integers.map { batch.integers[Int($0)] },
        numbers: numbers.map { batch.numbers[Int($0)] }, row: { try layOut(rows[example], model) })
    }
    return try model.measure(record, task: 0)
  }

  /// Scores that are high at each example's class, moved by `shift`; nil for a head whose targets are no classes: one
  /// integer for each row, and a score for each class.
  private func ideal(_ model: Model, shift: Int = 0) throws -> (perExample: [[Float]], columns: Int)? {
    let batch = try batch(model, training: false)
    let (own, columns, _) = try model.scores(batch)
    guard columns > 1,
      batch.integers.count == own.reduce(0, { $0 + $1.count }) / columns
    else { return nil }
    guard batch.integers.allSatisfy({ $0 < Int32(columns) }) else { return nil }
    let perExample = own.indices.map { example in
      (batch.integerOffsets[example]..<batch.integerOffsets[example + 1]).flatMap { place -> [Float] in
        let target = batch.integers[Int(place)]
        let best = target < 0 ? 0 : (Int(target) + shift) % columns
        return (0..<columns).map { $0 == best ? 10 : -10 }
      }
    }
    return (perExample, columns)
  }

  /// A row's own label has to come out where its own class scores highest.
  var agrees: ConformanceCheck {
    ConformanceCheck("`predict` reads scores as `encode` writes targets") {
      let model = try model(choice)
      let labels = try rows(model).map { $0["label"] ?? "" }
      guard let right = try ideal(model), let wrong = try ideal(model, shift: 1),
        case .strings(let names)? = choice.hyperparameters["labels"], labels.allSatisfy(names.contains)
      else { return .skipped("its targets are not one of its labels for each text") }
      func said(_ scores: [Float], _ columns: Int, _ index: Int) throws -> [String] {
        let row = try layOut(try rows(model)[index], model)
        return try model.predict(scores, columns: columns, row, task: 0).map(\.json)
      }
      for (index, label) in labels.enumerated() {
        // A head names the label or gives its place.
        let meant = Set(
          [JSONValue.string(label).text(.line)] + (names.firstIndex(of: label).map { ["\($0)"] } ?? []))
        let (own, other) = (
          try said(right.perExample[index], right.columns, index),
          try said(wrong.perExample[index], wrong.columns, index)
        )
        guard own.contains(where: meant.contains) else {
          return .failed(
            "a row whose label is '\(label)', scored highest at its own target, is predicted \(own.joined(separator: ", "))"
          )
        }
        if other.contains(where: meant.contains) {
          return .failed("a row is predicted '\(label)' where another class scores highest")
        }
      }
      return .passed("\(labels.count) rows")
    }
  }

  var unlabelled: ConformanceCheck {
    ConformanceCheck("it predicts rows without a label") {
      let model = try model(choice)
      let scores = try model.scores(batch(model, training: false))
      for (fields, row) in zip(try rows(model), scores.perExample) {
        let bare = fields.filter { $0.key != "label" }
        _ = try model.predict(row, columns: scores.columns, layOut(bare, model), task: 0)
      }
      return .passed("\(scores.perExample.count) rows")
    }
  }

  var aggregates: ConformanceCheck {
    ConformanceCheck("its metrics are of the whole evaluation, in whatever order") {
      let model = try model(choice)
      let count = try rows(model).count
      let forward = try metrics(model)
      let backward = try metrics(model, order: Array((0..<count).reversed()))
      let twice = try metrics(model, order: Array(0..<count) + Array(0..<count))
      for (index, metric) in forward.enumerated() {
        for (other, how) in [(backward, "in the other order"), (twice, "with each example twice")] {
          guard other.indices.contains(index), other[index].name == metric.name else {
            return .failed("\(how) it states other metrics")
          }
          let difference = abs(other[index].value - metric.value)
          if !(difference < 1e-6 * max(1, abs(metric.value))) {
            return .failed(
              "'\(metric.name)' is \(NumberText.significant(metric.value)), \(how) \(NumberText.significant(other[index].value))"
            )
          }
        }
      }
      return .passed("the same backwards and twice over")
    }
  }

  /// The first metric decides which adapter is the best one.
  var improves: ConformanceCheck {
    ConformanceCheck("its first metric prefers the right classes to wrong ones") {
      let model = try model(choice)
      let kept = try model.scores(batch(model, training: false), forEvaluation: true).columns
      guard let right = try ideal(model), let wrong = try ideal(model, shift: 1), right.columns == kept else {
        return .skipped("its targets are no classes, one for each row of scores")
      }
      guard let best = try metrics(model, scores: right).first,
        let worst = try metrics(model, scores: wrong).first
      else { return .failed("it states no metric") }
      let isBetter = best.higherIsBetter ? best.value > worst.value : best.value < worst.value
      return .when(
        isBetter,
        "'\(best.name)', of which the \(best.higherIsBetter ? "higher" : "lower") is better, is "
          + "\(NumberText.significant(best.value)) for right classes and \(NumberText.significant(worst.value)) for wrong ones"
      )
    }
  }
}
