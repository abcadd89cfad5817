import CPTune

/// The tasks of the run, as adapters and selectors see them (`ptune.tasks/1`).
public enum Tasks {
  /// The names of all tasks, in the order in which ``Batch/tasks`` numbers them.
  public static var names: [String] {
    guard let table = Host.tables.tasks?.pointee else { return [] }
    return (0..<table.count(Host.currentCall)).map { task in
      table.name(Host.currentCall, task).map { String(cString: $0) } ?? ""
    }
  }

  /// The labels that a task's head was given; empty for one without.
  public static func labels(of task: Int) -> [String] {
    guard let table = Host.tables.tasks?.pointee else { return [] }
    return (0..<table.label_count(Host.currentCall, task)).map { index in
      table.label(Host.currentCall, task, index).map { String(cString: $0) } ?? ""
    }
  }
}
