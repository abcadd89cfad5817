import PTuneFormats

/// One page about a run, or about several: a file that needs nothing else, neither network nor scripts.
public struct Report: Sendable {
  private let title: String
  private let lead: String
  private let sections: [Section]

  /// A report on run folders.
  ///
  /// - Throws: ``ReportError`` for no folder at all.
  public init(_ runs: [RunFolder]) throws(ReportError) {
    guard let first = runs.first else {
      throw .unusable("there is no run to report on", help: "give one or more run folders")
    }
    if runs.count == 1 {
      title = "\(first.method) on \(FilePath.name(of: first.model))"
      lead = "Run \(first.name)"
      sections = Self.sections(of: first, prefix: "", level: 2)
      return
    }
    let names = Self.names(runs)
    title = "\(runs.count) runs"
    lead = names.joined(separator: ", ")
    var identifiers = Identifiers()
    var sections = [OverviewSection(runs: runs, names: names).section]
    for (run, name) in zip(runs, names) {
      let id = identifiers.make("run-" + name)
      let parts = Self.sections(of: run, prefix: id + "-", level: 3).map(\.markup)
      sections.append(Section(id: id, title: name, body: parts))
    }
    self.sections = sections
  }

  /// A report on a comparison.
  public init(_ comparison: ComparisonFolder) {
    title = "Methods on \(FilePath.name(of: comparison.model))"
    lead = comparison.rows.map(\.label).joined(separator: ", ")
    sections = [ComparisonSection(comparison: comparison).section, ComparisonSection.cells(comparison)]
  }

  /// A page about what `ptune inspect` found out.
  ///
  /// - Parameter inspection: what its `--json` prints.
  public init(inspection: JSONValue) {
    let names = (inspection["adapters"]?.arrayValue ?? []).compactMap { $0["plugin"]?.stringValue }
    title = names.isEmpty ? "An adapter" : names.joined(separator: " + ")
    lead = inspection["folder"]?.stringValue ?? ""
    sections = InspectionSections(document: inspection).sections
  }

  private static func sections(of run: RunFolder, prefix: String, level: Int) -> [Section] {
    var identifiers = Identifiers()
    var sections = [
      SummarySection(run: run, id: prefix + "result", level: level).section,
      CurveSection(run: run, id: prefix + "training", level: level).section,
    ]
    for task in run.tasks {
      let id = prefix + identifiers.make("task-" + task.name)
      sections.append(TaskSection(run: run, task: task, id: id, level: level).section)
    }
    sections.append(ProvenanceSection(run: run, id: prefix + "provenance", level: level).section)
    return sections
  }

  /// The folders' names, with the folder above where two are the same.
  private static func names(_ runs: [RunFolder]) -> [String] {
    runs.enumerated().map { index, run in
      let isAlone = runs.count { $0.name == run.name } == 1
      if isAlone { return run.name }
      let above = FilePath.name(of: FilePath.folder(of: FilePath.normalised(run.path)))
      let longer = "\(above)/\(run.name)"
      let same = runs.prefix(index).count { $0.name == run.name }
      return same > 0 && runs.count(where: { FilePath.normalised($0.path).hasSuffix(longer) }) > 1
        ? "\(longer) (\(same + 1))" : longer
    }
  }

  /// The page.
  public var html: String {
    let shown = sections.filter { !$0.markup.isEmpty }
    let links = shown.map { section in
      Markup("li", [Markup("a", ["href": "#\(section.id)"], [.data(section.title)])])
    }
    let head = Markup(
      "head",
      [
        Markup("meta", ["charset": "utf-8"]),
        Markup("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        Markup("meta", ["name": "color-scheme", "content": "light dark"]),
        // Whatever a text of the data may hold, nothing is fetched and nothing runs.
        Markup(
          "meta",
          [
            "http-equiv": "Content-Security-Policy",
            "content": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
          ]),
        Markup("title", text: "\(title) · \(lead)"), .style(StyleSheet.rules),
      ])
    let body = Markup(
      "body",
      [
        Markup("a", ["class": "skip", "href": "#content"], text: "Skip to the content"),
        Markup(
          "header",
          [
            Markup("h1", [.data(title)]), Markup("p", ["class": "lead"], [.data(lead)]),
            Markup("nav", ["aria-label": "Sections"], [Markup("ul", links)]),
          ]),
        Markup("main", ["id": "content"], shown.map(\.markup)),
        Markup("footer", [Markup("p", text: "Made by ptune.")]),
      ])
    return Markup.document(Markup("html", ["lang": "en"], [head, body])).source
  }

  /// Writes the page.
  ///
  /// - Throws: `FileError`.
  public func write(to path: String) throws(FileError) { try AtomicFile.write(html, to: path) }

  /// Writes the page where the user wants it, but not over one of the files that are read for it. Throws `FileError`.
  public func write(output path: String, reading inputs: [String]) throws(FileError) {
    try AtomicFile.write(html, output: path, reading: inputs)
  }
}
