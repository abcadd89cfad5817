/// What owns parameters, by the name that stands before theirs in checkpoints and, but for the first adapter's, in adapter
/// folders.
package enum ParameterOwner {
  /// The base model.
  package static let base = "base"
  /// The first adapter.
  package static let adapter = "adapter"
  /// The selector.
  package static let selector = "selector"
  /// What begins the names of all adapters after the first.
  package static let laterAdapters = "adapter."
  /// What begins the names of parameters that one task alone has, before the task's name.
  package static let tasks = "tasks."
  /// What begins the names of all heads.
  package static let heads = "head."

  /// An adapter after the first.
  package static func laterAdapter(_ name: String) -> String { laterAdapters + name }

  /// What begins the names of parameters that a task alone has.
  package static func task(_ name: String) -> String { tasks + name + "." }

  /// The head of a task.
  package static func head(_ task: String) -> String { heads + task }

  /// The name of an adapter after the first; nil for another owner.
  package static func laterAdapter(in owner: String) -> String? {
    owner.hasPrefix(laterAdapters) ? String(owner.dropFirst(laterAdapters.count)) : nil
  }
}
