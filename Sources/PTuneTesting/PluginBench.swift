import PTuneComposition
import PTuneEngine
import PTunePlugins

/// Puts components of plugins into models for tests; the parts that a test does not care about may be twins.
///
/// ```swift
/// let bench = PluginBench(folders: ["build"], program: "/usr/local/bin/ptune")
/// let model = Model.forTesting()
/// try model.useTwinBase()
/// try bench.useAdapter(ComponentChoice(plugin: "my-method"), in: model)
/// try model.useTwinHead()
/// let report = try GradientCheck().run(model, on: .forTesting())
/// ```
public struct PluginBench {
  private let factory: ComponentFactory

  /// A bench over the plugins in these folders.
  ///
  /// - Parameters:
  ///   - folders: where to look; the first one wins.
  ///   - program: a `ptune`, which opens each file in a child process first.
  ///   - environment: what plugins see of the environment.
  public init(folders: [String], program: String, environment: [String: String] = [:]) {
    self.init(
      search: PluginSearch(options: folders, environment: [:], executable: program),
      prober: Prober(executable: program, environment: environment))
  }

  /// A bench over the plugins that a search finds.
  public init(search: PluginSearch, prober: Prober) {
    factory = ComponentFactory(
      registry: PluginRegistry(host: TestHost.connect(), search: search, prober: prober))
  }

  /// Makes a plugin's base model the model's, with the weights of a model folder.
  ///
  /// - Throws: errors of the plugin or of the folder's files.
  public func useBase(_ choice: ComponentChoice, folder: String, in model: Model) throws {
    let component = try factory.load(.baseModel, choice)
    try model.setBase(
      factory.identity(component, owner: ParameterOwner.base),
      checkpoint: try ModelCheckpoint(folder: folder),
      tokenize: { $0.utf8.map { 2 + Int32($0) % 16 } },
      frequentTokens: { (2..<Int32(2 + min($0, 16))).map { $0 } }
    ) { try factory.baseModel(component, $0) }
  }

  /// How the rows of a plugin's head become sequences.
  ///
  /// - Throws: errors of the plugin.
  func reading(head: String) throws -> RowReading { try factory.reading(head: head) }

  /// Makes a plugin's selector the model's; to be called before ``useAdapter(_:in:)``.
  ///
  /// - Throws: errors of the plugin, or of its hyperparameters.
  public func useSelector(_ choice: ComponentChoice, in model: Model) throws {
    let component = try factory.load(.selector, choice)
    try model.setSelector(factory.identity(component, owner: ParameterOwner.selector)) {
      try factory.selector(component, $0)
    }
  }

  /// Makes a plugin's adapter the model's.
  ///
  /// - Throws: errors of the plugin, or of its hyperparameters.
  public func useAdapter(_ choice: ComponentChoice, in model: Model) throws {
    let component = try factory.load(.adapter, choice)
    try model.setAdapter(factory.identity(component, owner: ParameterOwner.adapter)) {
      try factory.adapter(component, $0)
    }
  }

  /// Creates one more of a plugin's adapters in the model, switched off: it has its parameters and injects nothing.
  ///
  /// - Throws: errors of the plugin, or of its hyperparameters.
  func addIdleAdapter(_ choice: ComponentChoice, in model: Model) throws {
    let component = try factory.load(.adapter, choice)
    try model.addAdapter(
      factory.identity(component, owner: ParameterOwner.laterAdapter("1")), isActive: false
    ) {
      try factory.adapter(component, $0)
    }
  }

  /// Adds a plugin's task head to the model.
  ///
  /// - Throws: errors of the plugin, or of its hyperparameters.
  public func useHead(_ choice: ComponentChoice, in model: Model) throws {
    let component = try factory.load(.taskHead, choice)
    try model.addHead(factory.identity(component, owner: ParameterOwner.head("test"))) {
      try factory.head(component, $0)
    }
  }
}
