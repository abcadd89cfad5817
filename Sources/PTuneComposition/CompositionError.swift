import PTuneFormats

/// Why components, a model's files and a run's settings cannot be put together.
public enum CompositionError: HelpfulError, Equatable {
  /// config.json names no `model_type`, and the run file no plugin.
  case noModelType(config: String)
  /// No base model plugin is for the `model_type` of config.json.
  case unknownModelType(config: String, type: String, known: [String])
  /// The base model's plugin cannot use the model's files, whose config.json may name another one.
  case base(folder: String, component: String, reason: String, otherType: OtherModelType?)
  /// The virtual tokens leave no room for text.
  case noRoom(positions: Int, virtual: Int)
  /// The adapter uses a selector, and the run names none.
  case noSelector(RunPlace?, adapter: String, known: [String])
  /// The run names a selector, and the adapter uses none.
  case needlessSelector(RunPlace?, adapter: String)
}

extension CompositionError {
  /// What went wrong, where.
  public var description: String {
    switch self {
    case .noModelType(let config):
      "\(config) has no model_type, so it is not clear which base model plugin fits"
    case .unknownModelType(let config, let type, _):
      "\(config): model_type '\(type)' is not supported by any base model plugin"
    case .base(let folder, let component, let reason, _): "\(folder) does not fit \(component): \(reason)"
    case .noRoom(let positions, let virtual):
      "\(virtual) virtual tokens leave no room for text in the base model's \(positions) positions"
    case .noSelector(let place, let adapter, _):
      Self.before(place)
        + "the adapter '\(adapter)' uses a selector for its pool, and the run names none"
    case .needlessSelector(let place, let adapter):
      Self.before(place) + "the adapter '\(adapter)', with these settings, uses no selector"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .noModelType:
      "add it to config.json, or name the plugin in the run file: 'base: {plugin: bert, model: …}'"
    case .unknownModelType(_, _, let known):
      "there are \(known.sorted().joined(separator: ", ")); you can add one with a plugin, see Docs/write-a-plugin.md"
    case .base(_, _, _, let other?): other.help
    case .base: "check whether the model is of another kind, or its config.json was changed"
    case .noRoom: "use fewer virtual tokens"
    case .noSelector(_, _, let known):
      if let first = known.first {
        "add these lines to the run file (there are \(known.joined(separator: ", ")))\n\n"
          + "selector:\n  plugin: \(first)\n"
      } else {
        "no plugin provides a selector; `ptune list-plugins` shows where plugins are looked for"
      }
    case .needlessSelector: "remove the 'selector' section"
    }
  }

  private static func before(_ place: RunPlace?) -> String { place.map { "\($0): " } ?? "" }
}

/// A `model_type` in config.json for which another base model plugin was chosen.
public struct OtherModelType: Equatable, Sendable {
  /// The model type.
  public let type: String
  /// The base model plugin that was chosen.
  public let chosen: String
  /// The base models that the plugins have.
  public let known: [String]

  /// What to do about it.
  var help: String {
    known.contains(type)
      ? "config.json says model_type '\(type)': remove 'plugin: \(chosen)' from the run file's 'base', or name '\(type)'"
      : "config.json says model_type '\(type)', and no base model plugin supports it; there are "
        + "\(known.sorted().joined(separator: ", ")); you can add one with a plugin, see Docs/write-a-plugin.md"
  }
}
