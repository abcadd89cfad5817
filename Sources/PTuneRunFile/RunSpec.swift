import PTuneComposition
import PTunePlugins
import PTuneText

/// A run: a base model, an adapter, perhaps a selector, tasks with their heads and data, and how to train.
///
/// This is what a run file says, checked as far as that is possible without plugins: their hyperparameters are kept
/// with their places for the schemas to check.
public struct RunSpec: Equatable, Sendable {
  /// The frozen model.
  public var base: BaseSpec
  /// The tuning methods, which work together in this order; at least one.
  public var adapters: [ComponentSpec]
  /// What weighs the entries of a pool, for adapters that have one.
  public var selector: ComponentSpec?
  /// A trained adapter that the tasks are added to; an absolute path.
  public var extend: Located<String>?
  /// A trained adapter whose values training starts from; an absolute path.
  public var startFrom: Located<String>?
  /// The tasks, at least one.
  public var tasks: [TaskSpec]
  /// How to train.
  public var training: TrainingOptions
  /// The folder for everything the run makes, absolute. In a run file it is seen from the current folder; without
  /// it, it is `runs/` and the name of the run file.
  public var output: String
  /// What `ptune compare` compares, unless its flags say otherwise; a training ignores it.
  public var compare: CompareSpec? = nil
}

/// A component and what it is told.
public struct ComponentSpec: Equatable, Sendable {
  /// The component's name, "prefix-tuning".
  public var plugin: Located<String>
  /// Its hyperparameters, unchecked.
  public var hyperparameters: [String: Located<HyperparameterValue>]
}

/// The base model and what it is told.
public struct BaseSpec: Equatable, Sendable {
  /// The component's name; nil for the one that fits the model's config.json.
  public var plugin: Located<String>?
  /// An absolute path, or a name on the hub for `ModelResolver`.
  public var model: Located<String>
  /// Its hyperparameters, unchecked.
  public var hyperparameters: [String: Located<HyperparameterValue>]
}

/// One task.
public struct TaskSpec: Equatable, Sendable {
  /// Its name, unique in the run: a letter, then letters, digits, "_" and "-".
  public var name: String
  /// How much its loss counts beside those of the other tasks; above 0.
  public var weight: Double
  /// The task head.
  public var head: ComponentSpec
  /// Its data.
  public var data: DataSpec
}
