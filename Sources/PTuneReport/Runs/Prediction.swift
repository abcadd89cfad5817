import PTuneFormats

/// A line of predictions.jsonl: a held-out example, and what the best adapter says of it.
struct Prediction: Sendable {
  let task: String
  /// "test" or "validation".
  let of: String
  /// Where the row stands in its file.
  let line: Int
  let fields: [String: String]
  /// What the head says; nil where it says nothing of a single text.
  let prediction: JSONValue?
  /// The head's metrics of this example alone.
  let metrics: JSONObject

  init?(_ json: JSONValue) {
    guard let task = json["task"]?.stringValue, let of = json["of"]?.stringValue,
      let line = json["line"]?.intValue, let fields = json["fields"]?.objectValue,
      let metrics = json["metrics"]?.objectValue
    else { return nil }
    (self.task, self.of, self.line, self.metrics) = (task, of, line, metrics)
    self.fields = Dictionary(fields.compactMap { key, value in value.stringValue.map { (key, $0) } }) { $1 }
    prediction = json["prediction"]
  }

  /// The label as the row has it.
  var gold: String { fields["label"] ?? "" }

  /// A metric of this example.
  func metric(_ name: String) -> Double? { metrics[name]?.doubleValue }
}
