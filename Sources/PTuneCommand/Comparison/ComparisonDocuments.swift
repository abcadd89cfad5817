import PTuneComparison
import PTuneFormats

extension Comparison {
  /// Writes `comparison.json`, `comparison.csv` and `comparison.md`.
  ///
  /// - Throws: `FileError`.
  func write() throws {
    try AtomicFile.write(
      document.text(.pretty), to: FilePath.join(plan.output, ComparisonFolderFiles.results))
    try AtomicFile.write(csv, to: FilePath.join(plan.output, "comparison.csv"))
    try AtomicFile.write(markdown, to: FilePath.join(plan.output, "comparison.md"))
  }

  /// One line a training, as `comparison.csv` has it.
  var csv: String {
    let measured = results.compactMap(\.numbers)
    // Every row has the same tasks; a failed one may come first.
    let metrics =
      measured.first.map { numbers in
        numbers.metrics.flatMap { task in task.values.map { (task: task.task, name: $0.name) } }
      } ?? []
    var keys: [String] = []
    for key in measured.flatMap({ $0.values.map(\.key) }) where !keys.contains(key) { keys.append(key) }
    let names = metrics.map { "\($0.task).\($0.name)" }
    var lines = [["label", "seed", "state"] + names + keys + ["error"]]
    for result in results {
      var line = [result.cell.label, "\(result.cell.seed)", result.state.rawValue]
      for metric in metrics {
        let values = result.numbers?.metrics.first { $0.task == metric.task }?.values
        line.append(values?.first { $0.name == metric.name }.map { "\($0.value)" } ?? "")
      }
      for key in keys { line.append(result.numbers?[key].map(Self.number) ?? "") }
      lines.append(line + [result.failure?.error ?? ""])
    }
    return lines.map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
  }

  /// As short as it is: "12", "0.5".
  private static func number(_ value: Double) -> String { Int(exactly: value).map { "\($0)" } ?? "\(value)" }

  private static func quoted(_ field: String) -> String {
    guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
    return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  /// The table of the rows, as `comparison.md` has it.
  var markdown: String {
    let table = ComparisonTable(rows)
    func line(_ cells: [String]) -> String {
      "| "
        + cells.map { $0.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|") }
        .joined(separator: " | ") + " |\n"
    }
    let columns = table.results + table.costs.dropFirst()
    var text = line(columns.map(\.header)) + line(columns.map { $0.isNumber ? "---:" : "---" })
    for row in rows.indices { text += line(columns.map { $0.cells[row] }) }
    for note in table.notes { text += "\n\(note)\n" }
    return text
  }
}
