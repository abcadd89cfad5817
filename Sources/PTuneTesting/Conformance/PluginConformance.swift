import PTuneComposition
import PTunePlugins

/// What every component of a plugin has to hold, and what its kind adds: the suite behind `ptune check-plugin`.
///
/// It runs the plugin's code in this process, on tiny models in memory; a caller that is to survive a plugin that
/// crashes runs it in a child.
public struct PluginConformance {
  /// What a caller can say about the component.
  public struct Options: Sendable {
    /// Hyperparameters in place of the defaults.
    public var hyperparameters: [String: HyperparameterValue] = [:]
    /// The folder of a model of its type, which the checks of a base model run on; nil: they are skipped.
    public var model: String?
    /// Rows for a task head, each a row's fields; nil: rows with a `text`, a `text_pair` and a `label`.
    public var rows: [[String: String]]?
    /// Reference values, see Docs/check-plugin.md; nil: there are none.
    public var parity: ParityFile?

    /// No further words.
    public init() {}
  }

  private let checks: [ConformanceCheck]

  /// The suite for a component of a bench's plugins.
  ///
  /// - Throws: `UnknownComponentError` or `Rejection` where the bench has no such component.
  public init(_ bench: PluginBench, _ component: ComponentDescription, _ options: Options = Options()) {
    let choice = ComponentChoice(plugin: component.name, hyperparameters: options.hyperparameters)
    let own: [ConformanceCheck] =
      switch component.kind {
      case .adapter: AdapterConformance(bench, choice, options.parity).checks
      case .selector: SelectorConformance(bench, choice, options.parity).checks
      case .taskHead: HeadConformance(bench, component, choice, options).checks
      case .baseModel: BaseModelConformance(bench, choice, options).checks
      }
    checks = own
  }

  /// Runs the checks in order, up to one that the others need and that failed.
  ///
  /// - Parameters:
  ///   - began: called before each check with its title.
  ///   - ended: called with what it found.
  public func run(
    began: (String) throws -> Void = { _ in }, ended: (ConformanceResult) throws -> Void
  ) rethrows {
    for check in checks {
      try began(check.title)
      let result = check.result()
      try ended(result)
      if check.isNeeded, result.outcome == .failed { return }
    }
  }

  /// What the description of a component lacks for its users: a summary, documentation, a word for each
  /// hyperparameter.
  public static func documentation(of component: ComponentDescription) -> ConformanceResult {
    let title = "it is documented"
    var missing: [String] = []
    if component.summary.isEmpty { missing.append("a summary") }
    if component.documentation.isEmpty { missing.append("documentation") }
    missing += component.schema.parameters.filter(\.documentation.isEmpty).map { "what '\($0.name)' is" }
    guard missing.isEmpty else {
      return ConformanceResult(title, .failed, "it lacks \(missing.joined(separator: ", "))")
    }
    let count = component.schema.parameters.count
    return ConformanceResult(
      title, .passed, "\(count) hyperparameter\(count == 1 ? "" : "s"), each with its meaning")
  }
}
