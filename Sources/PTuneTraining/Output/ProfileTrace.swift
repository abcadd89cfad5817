import PTuneEngine
import PTuneFormats

extension Profile {
  /// The spans in the format of Chrome's tracing (Trace Event Format, complete events), which Perfetto reads too.
  public var trace: JSONValue {
    let names: [Phase: String] = [
      .step: "step", .forward: "forward", .backward: "backward", .around: "around",
    ]
    let events = spans.sorted { ($0.begin, $1.duration) < ($1.begin, $0.duration) }.map { span -> JSONValue in
      var about: JSONObject = ["step": .int(span.step)]
      if span.rows > 0 {
        about["rows"] = .int(span.rows)
        about["columns"] = .int(span.columns)
      }
      if span.operations > 0 { about["floating_point_operations"] = .double(span.operations) }
      // Microseconds.
      return [
        "name": .string(span.name), "cat": .string(names[span.phase] ?? ""), "ph": "X", "pid": 1, "tid": 1,
        "ts": .double(Double(span.begin) / 1000), "dur": .double(Double(span.duration) / 1000),
        "args": .object(about),
      ]
    }
    return ["displayTimeUnit": "ms", "traceEvents": .array(events)]
  }
}
