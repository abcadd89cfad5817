import PTunePlugins

/// A task as it is composed: its head and how its rows are read.
public struct ComposedTask: Sendable {
  /// Its name.
  public let name: String
  /// Its head; with every hyperparameter spelled out once it is composed.
  public let head: ComponentChoice
  /// How rows are read; paths in it may be empty.
  public let data: DataSpec
  /// How much its loss counts beside those of other tasks.
  public var weight = 1.0

  /// A task with a head and its data.
  package init(name: String, head: ComponentChoice, data: DataSpec, weight: Double = 1.0) {
    self.name = name
    self.head = head
    self.data = data
    self.weight = weight
  }

  /// The head's labels; empty for a head without.
  package var labels: [String] {
    if case .strings(let labels)? = head.hyperparameters["labels"] { labels } else { [] }
  }
}

/// What a composition consists of, as a run file or an adapter folder says it.
///
/// Who goes on from one copies it whole and then changes it, so that nothing is left behind.
package struct Blueprint: Sendable {
  /// The base model's component; nil for the one that its config.json asks for.
  package var base: ComponentChoice?
  /// The tuning methods, which work together in this order; at least one.
  package var adapters: [ComponentChoice]
  /// What weighs the entries of a pool; nil for none.
  package var selector: ComponentChoice?
  /// The tasks.
  package var tasks: [ComposedTask]
  /// Tokens to which texts are cut; nil for what fits.
  package var maximumLength: Int?
  /// How rows become what the base model is given.
  package var input = InputReading()

  /// A blueprint that reads rows as ptune does.
  package init(
    base: ComponentChoice? = nil, adapters: [ComponentChoice], selector: ComponentChoice? = nil,
    tasks: [ComposedTask], maximumLength: Int? = nil
  ) {
    (self.base, self.adapters, self.selector) = (base, adapters, selector)
    (self.tasks, self.maximumLength) = (tasks, maximumLength)
  }
}
