import PTuneText

/// A run: a base model, an adapter, perhaps a selector, tasks with their heads and data, and how to train.
///
/// This is what a run file says, checked as far as that is possible without plugins: their hyperparameters are kept
/// with their places for the schemas to check.
public struct RunSpec: Equatable, Sendable {
  /// The frozen model.
  public var base: BaseSpec
  /// The tuning method.
  public var adapter: ComponentSpec
  /// Further tuning methods that work together with it, in this order.
  public var further: [ComponentSpec] = []
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

extension RunSpec {
  /// All tuning methods, in their order.
  public var adapters: [ComponentSpec] { [adapter] + further }
}

/// A component and what it is told.
public struct ComponentSpec: Equatable, Sendable {
  /// The component's name, "prefix-tuning".
  public var plugin: Located<String>
  /// Its hyperparameters, unchecked.
  public var hyperparameters: [String: Located<RunValue>]
}

/// The base model and what it is told.
public struct BaseSpec: Equatable, Sendable {
  /// The component's name; nil for the one that fits the model's config.json.
  public var plugin: Located<String>?
  /// An absolute path, or a name on the hub for `ModelResolver`.
  public var model: Located<String>
  /// Its hyperparameters, unchecked.
  public var hyperparameters: [String: Located<RunValue>]
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

/// The data of a task. Paths are absolute; in a run file they are seen from the run file's folder, in a flag from the
/// current one.
public struct DataSpec: Equatable, Sendable {
  /// What is trained on.
  public var train: Located<String>
  /// What decides which adapter is best.
  public var validation: Located<String>?
  /// What is reported at the end.
  public var test: Located<String>?
  /// The layout; nil for what the file's extension says.
  public var format: DataFormat?
  /// Whether the first line names the columns; nil for what the format usually has.
  public var header: Bool?
  /// The column of the text.
  public var text: Located<String>
  /// The column of a second text, if there is one.
  public var textPair: Located<String>?
  /// The column of the label.
  public var label: Located<String>
  /// How the fields of a row become the text that the model reads; nil for the text, or the two, as they stand.
  public var template: Located<TextTemplate>?
  /// How conversations become text: the name of a format, or the absolute path of a Jinja template; nil for the
  /// model's own.
  public var chatTemplate: Located<String>?
  /// Whether an adapter was trained on conversations.
  public var hasConversations = false
  /// Further fields that a head asks for by name, and their columns.
  public var fields: [String: Located<String>]
  /// How many rows of each file are used, from its beginning; nil for all.
  public var maximumRows: Int?
}
