import PTuneComposition
import PTuneText

/// Which task of an adapter a row is for.
struct RowTask {
  private static let nameColumn = "task"
  private static let numberColumn = "task_id"

  /// The task of all rows; nil where each row says its own.
  let fixed: Int?
  let names: [String]

  init(fixed: Int?, names: [String]) {
    self.fixed = fixed ?? (names.count == 1 ? 0 : nil)
    self.names = names
  }

  /// The task of a row: its column `task` holds the name or the number, or `task_id` the number, from 0. An adapter with one
  /// task does not look at them.
  ///
  /// - Throws: ``DataError/row(path:line:reason:)`` for a row that says neither, or what there is not.
  func of(_ row: Row) throws(DataError) -> Int {
    if let fixed { return fixed }
    func wrong(_ reason: String) -> DataError {
      .row(
        path: InputPath.shown(row.columns.path), line: row.line, reason: reason)
    }
    if let name = row[Self.nameColumn].map({ String($0.withoutBlanksAround) }) {
      if let task = names.firstIndex(of: name) { return task }
      if let task = Int(name), names.indices.contains(task) { return task }
      throw wrong("'\(Self.nameColumn)' is '\(name)'; the adapter has \(names.joined(separator: ", "))")
    }
    guard let text = row[Self.numberColumn] else {
      throw wrong(
        "the adapter has several tasks; '\(Self.nameColumn)' or '\(Self.numberColumn)' has to say which one")
    }
    guard let task = Int(text), names.indices.contains(task) else {
      throw wrong("'\(Self.numberColumn)' is \(text), which is not within 0 and \(names.count - 1)")
    }
    return task
  }

  /// The task of a text that is not in a row.
  ///
  /// - Throws: ``AdapterError/ambiguousTask(known:)``.
  func ofText() throws(AdapterError) -> Int {
    guard let fixed else { throw .ambiguousTask(known: names) }
    return fixed
  }
}
