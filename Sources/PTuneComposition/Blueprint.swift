import PTunePlugins

/// What a composition consists of, as a run file or an adapter folder says it: of components as they are named
/// (``ComponentChoice``), and of such whose hyperparameters are checked (`CheckedComponent`).
///
/// Who goes on from one copies it whole and then changes it, so that nothing is left behind.
package struct Blueprint<Component: Sendable>: Sendable {
  /// The base model's component; nil for the one that its config.json asks for.
  package var base: Component?
  /// The tuning methods, which work together in this order; at least one.
  package var adapters: [Component]
  /// What weighs the entries of a pool; nil for none.
  package var selector: Component?
  /// The tasks.
  package var tasks: [TaskBlueprint<Component>]
  /// Tokens to which texts are cut; nil for what fits.
  package var maximumLength: Int?
  /// How rows become what the base model is given.
  package var input: InputReading

  /// A blueprint.
  package init(
    base: Component?, adapters: [Component], selector: Component?, tasks: [TaskBlueprint<Component>],
    maximumLength: Int?, input: InputReading
  ) {
    (self.base, self.adapters, self.selector) = (base, adapters, selector)
    (self.tasks, self.maximumLength, self.input) = (tasks, maximumLength, input)
  }

  /// The same of other components.
  package func map<Other: Sendable>(
    _ other: (ComponentKind, Component) throws -> Other
  ) rethrows -> Blueprint<Other> {
    // Every argument is named and none has a default, so that a field which is added cannot be forgotten here.
    Blueprint<Other>(
      base: try base.map { try other(.baseModel, $0) },
      adapters: try adapters.map { try other(.adapter, $0) },
      selector: try selector.map { try other(.selector, $0) },
      tasks: try tasks.map {
        TaskBlueprint(name: $0.name, head: try other(.taskHead, $0.head), data: $0.data, weight: $0.weight)
      }, maximumLength: maximumLength, input: input)
  }
}

/// A task of a blueprint: its head and how its rows are read.
public struct TaskBlueprint<Component: Sendable>: Sendable {
  /// Its name.
  public let name: String
  /// Its head.
  public let head: Component
  /// How rows are read; paths in it may be empty.
  public let data: DataSpec
  /// How much its loss counts beside those of other tasks.
  public let weight: Double

  /// A task with a head and its data.
  package init(name: String, head: Component, data: DataSpec, weight: Double = 1) {
    (self.name, self.head, self.data, self.weight) = (name, head, data, weight)
  }
}

/// A task as it is composed, or as an adapter folder has it.
public typealias ComposedTask = TaskBlueprint<ComponentChoice>

extension ComposedTask {
  /// The head's labels; empty for a head without.
  package var labels: [String] {
    if case .strings(let labels)? = head.hyperparameters["labels"] { labels } else { [] }
  }
}
