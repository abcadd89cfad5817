import Foundation
import PTuneFormats
import Testing

@testable import PTuneReport

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Reports") struct ReportTests {
  /// Texts that would do harm if they were taken for markup, or turn what stands beside them.
  static let hostile = [
    "<script>alert(1)</script>", "]]>", "\u{202E}evil", "👩‍💻 ok", "\"><img src=x onerror=alert(1)>", "&amp; &",
    "a\u{0}b",
    "</style><b>", "'single'",
  ]

  /// A run folder of one classification task whose labels and texts are hostile too.
  static func run(in folder: Folder, name: String = "run", labels: [String] = ["no", "<b>yes</b>"]) throws
    -> RunFolder
  {
    let path = folder.path + "/" + name
    try FileSystem.createFolder(path)
    func write(_ name: String, _ text: String) throws { try AtomicFile.write(text, to: path + "/" + name) }
    try write("run.yaml", "base: {model: \"<model>\"}\n")
    var metrics = (1...30).map { step -> JSONValue in
      [
        "event": "step", "step": .int(step * 10), "epoch": 1, "loss": .double(1 / Double(step)),
        "learning_rate": .double(0.01), "gradient_norm": 1.0, "examples_per_second": 10.0,
      ]
    }
    metrics += [100, 200, 300].map { step -> JSONValue in
      [
        "event": "evaluation", "step": .int(step), "epoch": 1, "task": "tone", "examples": 10,
        "metrics": ["accuracy": .double(Double(step) / 400), "majority_class": 0.6], "seconds": 1.0,
      ]
    }
    try write("metrics.jsonl", metrics.map { $0.text(.line) + "\n" }.joined())
    let rows = (0..<40).map { index -> JSONValue in
      let (gold, predicted) = (labels[index % 3 == 0 ? 0 : 1], labels[index % 4 == 0 ? 0 : 1])
      return [
        "task": "tone", "of": "test", "line": .int(index + 2),
        "fields": ["label": .string(gold), "text": .string(hostile[index % hostile.count])],
        "prediction": [
          "label": .string(predicted), "probability": 0.75,
          "probabilities": .object([labels[0]: 0.25, labels[1]: 0.75]),
        ], "metrics": ["accuracy": gold == predicted ? 1.0 : 0.0],
      ]
    }
    try write("predictions.jsonl", rows.map { $0.text(.line) + "\n" }.joined())
    let results: JSONValue = [
      "format": 1, "base": ["model": "<model>", "parameters": 32_144, "weights_sha256": "00ff"],
      "adapter": ["plugin": "prefix-tuning", "parameters": 834, "bytes": 3600], "seconds": 75.0,
      "examples_per_second": 162.0, "steps": 300, "best_step": 200,
      "tasks": [
        [
          "name": "tone", "head": "sequence-classification", "labels": .array(labels.map { .string($0) }),
          "examples": ["train": 100, "test": 40],
          "test": [
            "examples": 40, "metrics": ["accuracy": 0.75, "majority_class": 0.65], "primary": "accuracy",
            "higher_is_better": true,
          ], "predictions": ["of": "test", "examples": 40, "written": 40],
        ]
      ],
    ]
    try write("results.json", results.text())
    return try RunFolder(path)
  }

  @Test("a report is well-formed and has every part, whatever texts and labels hold")
  func parts() throws {
    let folder = try Folder()
    let page = try Page(Report([Self.run(in: folder)]).html)
    page.expect(
      "result", "result-metrics", "training", "training-loss", "training-accuracy", "training-learning-rate",
      "task-tone", "task-tone-confusion", "task-tone-labels", "task-tone-cases", "provenance",
      "provenance-facts", "provenance-run-file")
    // Every chart and every link leads somewhere.
    #expect(page.references.allSatisfy { page.ids.contains($0) })
    #expect(page.elements.isDisjoint(with: ["script", "img", "b", "iframe", "link", "object", "form"]))
  }

  @Test("nothing of the data gets out of its place")
  func escaping() throws {
    let folder = try Folder()
    let html = try Report([Self.run(in: folder)]).html
    #expect(!html.unicodeScalars.contains("\u{202E}") && !html.unicodeScalars.contains("\u{0}"))
    let text = try Page(html).text
    for shown in ["<script>alert(1)</script>", "[U+202E]evil", "👩‍💻 ok", "&amp; &", "a[U+0]b", "<b>yes</b>"] {
      #expect(text.contains(shown), "\(shown)")
    }
    #expect(!html.contains("http://") && !html.contains("https://") && !html.contains("url("))
  }

  @Test("figures are those of the predictions")
  func figures() throws {
    let folder = try Folder()
    let run = try Self.run(in: folder)
    let page = try Page(Report([run]).html)
    // Counted here once more, row by row.
    var counts: [[String]: Int] = [:]
    for row in run.predictions {
      counts[[row.gold, row.prediction?["label"]?.stringValue ?? ""], default: 0] += 1
    }
    let labels = ["no", "<b>yes</b>"]
    #expect(
      page.table("task-tone-confusion")
        == [["gold ↓ predicted →"] + labels]
        + labels.map { gold in [gold] + labels.map { "\(counts[[gold, $0]] ?? 0)" } })
    let rows = labels.map { label -> [String] in
      let right = Double(counts[[label, label]] ?? 0)
      let gold = Double(counts.filter { $0.key[0] == label }.values.reduce(0, +))
      let given = Double(counts.filter { $0.key[1] == label }.values.reduce(0, +))
      let (precision, recall) = (right / given, right / gold)
      return [label]
        + [precision, recall, 2 * precision * recall / (precision + recall)].map {
          String(format: "%.4f", $0)
        }
        + ["\(Int(gold))"]
    }
    #expect(page.table("task-tone-labels") == [["label", "precision", "recall", "F1", "support"]] + rows)
    #expect(page.table("result-metrics")?.last == ["test", "40", "0.7500", "0.6500"])
    #expect(
      page.described["training-loss"]
        == "Training loss from 1.0000 at step 10 to 0.0333 at step 300; lowest 0.0333 at step 300.")
    #expect(
      page.described["training-accuracy"]
        == "accuracy on the validation data, from 0.2500 at step 100 to 0.7500 at step 300.")
  }

  @Test("several runs are compared, and names that are the same are told apart")
  func several() throws {
    let (folder, other) = (try Folder(), try Folder())
    let runs = [try Self.run(in: folder), try Self.run(in: other), try Self.run(in: folder, name: "third")]
    let page = try Page(Report(runs).html)
    page.expect(
      "overview", "overview-table", "overview-metric-0", "overview-size-0", "overview-loss", "overview-speed")
    let names = try #require(page.table("overview-table")).dropFirst().map { $0[0] }
    #expect(Set(names).count == 3 && names.last == "third")
  }

  @Test("a run that has not come to its end has curves")
  func unfinished() throws {
    let folder = try Folder()
    _ = try Self.run(in: folder)
    for file in ["results.json", "predictions.jsonl"] {
      try FileSystem.removeFile("\(folder.path)/run/\(file)")
    }
    let page = try Page(Report([RunFolder(folder.path + "/run")]).html)
    #expect(page.ids.contains("training-loss") && !page.ids.contains("task-tone"))
    #expect(page.text.contains("This training has not finished"))
  }

  @Test("what is no run folder is said to be none")
  func noRun() throws {
    let folder = try Folder()
    #expect(throws: ReportError.notARun(path: folder.path)) { try RunFolder(folder.path) }
    try AtomicFile.write("", to: folder.path + "/metrics.jsonl")
    #expect(throws: ReportError.emptyRun(path: folder.path)) { try RunFolder(folder.path) }
    try AtomicFile.write("{]\n{}\n", to: folder.path + "/metrics.jsonl")
    #expect(throws: ReportError.unreadable(path: folder.path + "/metrics.jsonl", line: 1)) {
      try RunFolder(folder.path)
    }
  }
}

/// A page, read by an XML parser: it throws for anything that is not well-formed.
final class Page: NSObject, XMLParserDelegate {
  private(set) var ids: [String] = []
  private(set) var elements: Set<String> = []
  /// What `href` and `aria-labelledby` point at within the page.
  private(set) var references: [String] = []
  private(set) var text = ""
  /// Cells of tables by their id, row by row.
  private var tables: [String: [[String]]] = [:]
  /// The descriptions of charts by the chart's id.
  private(set) var described: [String: String] = [:]
  private var open: [String] = []
  private var table: String?
  private var isCell = false

  init(_ html: String) throws {
    super.init()
    let parser = XMLParser(data: Data(html.utf8))
    parser.delegate = self
    let isWellFormed = parser.parse()
    try #require(isWellFormed, "\(parser.lineNumber): \(String(describing: parser.parserError))")
  }

  func table(_ id: String) -> [[String]]? { tables[id] }

  /// Expects elements of these ids, and no id twice.
  func expect(_ wanted: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    for id in wanted { #expect(ids.contains(id), "\(id)", sourceLocation: sourceLocation) }
    #expect(Set(ids).count == ids.count, sourceLocation: sourceLocation)
  }

  func parser(
    _: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    elements.insert(name)
    open.append(attributes["id"] ?? "")
    if let id = attributes["id"] { ids.append(id) }
    if let href = attributes["href"] { references.append(String(href.dropFirst())) }
    references += (attributes["aria-labelledby"] ?? "").split(separator: " ").map(String.init)
    switch name {
    case "table": table = attributes["id"]
    case "tr": if let table { tables[table, default: []].append([]) }
    case "th", "td":
      isCell = true
      if let table, let row = tables[table]?.indices.last { tables[table]?[row].append("") }
    default: break
    }
  }

  func parser(_: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    open.removeLast()
    if name == "table" { table = nil }
    if name == "th" || name == "td" { isCell = false }
  }

  func parser(_: XMLParser, foundCharacters characters: String) {
    text += characters
    if let id = open.last, id.hasSuffix("-desc") {
      described[String(id.dropLast(5)), default: ""] += characters
    }
    guard isCell, let table, let row = tables[table]?.indices.last,
      let cell = tables[table]?[row].indices.last
    else { return }
    tables[table]?[row][cell] += characters
  }
}

/// A temporary folder that goes with the object.
final class Folder {
  let path: String

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/ptune-report-XXXXXX").utf8CString)
    path = FilePath.normalised(String(cString: try #require(mkdtemp(&template))))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
