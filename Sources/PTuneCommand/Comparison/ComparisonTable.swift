import PTuneComparison
import PTuneTerminal

/// The rows of a comparison as people read them.
struct ComparisonTable: Sendable {
  /// A column: its header and a cell for each row.
  struct Column: Sendable {
    let header: String
    let isNumber: Bool
    let cells: [String]
  }

  /// The method, what it trains, how well it does.
  let results: [Column]
  /// The method again, and what it costs.
  let costs: [Column]
  /// What the numbers are of, and what failed.
  let notes: [String]

  /// The table of rows.
  init(_ rows: [ComparisonRow]) {
    func column(_ header: String, _ cell: (ComparisonRow) -> String?) -> Column {
      Column(header: header, isNumber: true, cells: rows.map { cell($0) ?? "–" })
    }
    func number(_ header: String, _ key: String, _ text: (Double) -> String) -> Column {
      column(header) { row in row.spread(key).map { text($0.mean) } }
    }
    let names = Column(header: "METHOD", isNumber: false, cells: rows.map(\.label))
    let tasks = rows.lazy.map(\.metrics).first { !$0.isEmpty } ?? []
    var results = [
      names,
      column("TRAINABLE") { row in
        guard let count = row.spread("trainable_parameters")?.mean,
          let base = row.spread("base_parameters")?.mean
        else { return nil }
        return "\(NumberText.grouped(Int(count))) (\(NumberText.percent(count / max(1, base))))"
      },
    ]
    results += tasks.map { task in
      let name = String((task.values.first?.name ?? "").map { $0 == "_" ? " " : $0 }).uppercased()
      let header = tasks.count > 1 ? "\(task.task.uppercased()) \(name)" : name
      return column(header) { row in
        let failed = row.failures > 0 ? (row.done.isEmpty ? "failed" : " (\(row.failures) failed)") : ""
        return row.spread(task: task.task).map { Self.spread($0) + failed } ?? (failed.isEmpty ? nil : failed)
      }
    }
    if tasks.isEmpty {
      results.append(column("RESULT") { $0.failures > 0 ? "failed" : $0.done.isEmpty ? nil : "done" })
    }
    results.append(number("RATE", "learning_rate") { "\($0)" })
    self.results = results
    costs = [
      names,
      number("SECONDS", "training_seconds") { NumberText.fixed($0, 1) },
      number("EXAMPLES/S", "examples_per_second") { NumberText.fixed($0, 0) },
      number("MS/TEXT", "latency_seconds") { NumberText.fixed($0 * 1000, 2) },
      number("TEXTS/S", "inference_examples_per_second") { NumberText.fixed($0, 0) },
      number("PEAK MB", "training_peak_memory_bytes") { NumberText.fixed($0 / 1e6, 0) },
      number("FILE KB", "adapter_bytes") { NumberText.fixed($0 / 1e3, 1) },
    ]
    var notes: [String] = []
    if !tasks.isEmpty {
      let parts = tasks.map { (tasks.count > 1 ? "\($0.task): " : "") + "\($0.measuredOn) data" }
      let seeds = rows.map { $0.results.count }.max() ?? 1
      notes.append(
        "Measured on " + parts.joined(separator: ", ")
          + (seeds > 1 ? "; mean ± sample deviation over \(seeds) seeds." : "."))
    }
    for row in rows {
      for result in row.results {
        if let failure = result.failure {
          notes.append("\(row.label), seed \(result.cell.seed), failed: \(failure.error)")
        }
      }
    }
    self.notes = notes
  }

  /// "0.8223 ± 0.0041".
  private static func spread(_ spread: Spread) -> String {
    NumberText.fixed(spread.mean, 4) + (spread.deviation.map { " ± \(NumberText.fixed($0, 4))" } ?? "")
  }

  /// The tables for people, each within the width: the method, and as many of the other columns as there is room for.
  func tables(width: Int) -> [TextTable] {
    let columns = results + costs.dropFirst()
    var tables: [[Column]] = []
    for column in columns.dropFirst() {
      let longer = (tables.last ?? [columns[0]]) + [column]
      if tables.isEmpty || Self.width(of: longer) > width {
        tables.append([columns[0], column])
      } else {
        tables[tables.count - 1] = longer
      }
    }
    return tables.map(Self.table)
  }

  private static func width(of columns: [Column]) -> Int {
    table(columns).lines.map(displayWidth).max() ?? 0
  }

  private static func table(_ columns: [Column]) -> TextTable {
    var table = TextTable(
      columns.map(\.header), alignments: columns.map { $0.isNumber ? .trailing : .leading })
    for row in columns[0].cells.indices { table.add(columns.map { $0.cells[row] }) }
    return table
  }
}
