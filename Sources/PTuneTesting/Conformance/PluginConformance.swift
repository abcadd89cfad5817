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
    /// Folders of models, of which the checks of a base model run on the first one that it accepts. Without one a base
    /// model fails, because nothing of it can be computed.
    public var models: [String] = []
    /// Rows for a task head, each a row's fields; nil: rows with a `text`, a `text_pair` and a `label`.
    public var rows: [[String: String]]?
    /// Reference values, see Docs/check-plugin.md; nil: there are none.
    public var parity: ParityFile?

    /// No further words.
    public init() {}
  }

  private let checks: [ConformanceCheck]
  private let process = ProcessState()

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
    for check in checks + [process.unchanged] {
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
    func isBlank(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }
    if isBlank(component.summary) { missing.append("a summary") }
    if isBlank(component.documentation) { missing.append("documentation") }
    missing += component.schema.parameters.filter { isBlank($0.documentation) }.map { "what '\($0.name)' is" }
    if component.summary.contains(where: \.isNewline) {
      return ConformanceResult(title, .failed, "its summary has more than one line")
    }
    guard missing.isEmpty else {
      return ConformanceResult(title, .failed, "it lacks \(missing.joined(separator: ", "))")
    }
    let count = component.schema.parameters.count
    return ConformanceResult(
      title, .passed, "\(count) hyperparameter\(count == 1 ? "" : "s"), each documented")
  }
}
