import CPTune
import PTune

/// A task of the run as adapters and selectors see it.
public struct TaskFacts: Sendable {
  /// Its name.
  public let name: String
  /// The labels that its head was given; empty for one without.
  public let labels: [String]
  /// The token ids of a word in the place of its template's mask; nil without a template with a mask.
  public let wordAtMask: (@Sendable (String) -> [Int32])?

  /// A task of this name.
  public init(
    name: String, labels: [String] = [], wordAtMask: (@Sendable (String) -> [Int32])? = nil
  ) {
    self.name = name
    self.labels = labels
    self.wordAtMask = wordAtMask
  }
}

/// `ptune.tasks/1`
enum TasksTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_tasks_v1(
      struct_size: MemoryLayout<ptune_tasks_v1>.size,
      count: { _ in Session.current?.services.tasks.count ?? 0 },
      name: { _, task in facts(task).flatMap { Session.current?.scopedString($0.name) } },
      label_count: { _, task in facts(task)?.labels.count ?? 0 },
      label: { _, task, index in
        guard let labels = facts(task)?.labels, labels.indices.contains(index) else { return nil }
        return Session.current?.scopedString(labels[index])
      }))

  private static func facts(_ task: Int) -> TaskFacts? {
    guard let tasks = Session.current?.services.tasks, tasks.indices.contains(task) else { return nil }
    return tasks[task]
  }
}
