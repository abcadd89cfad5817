import CPTune
import PTune
import PTuneFormats

/// What a component is, by the name that users write.
public enum ComponentKind: String, CaseIterable, Sendable {
  /// A frozen network.
  case baseModel = "base-model"
  /// A tuning method.
  case adapter
  /// Chooses among the entries of a pool.
  case selector
  /// Turns hidden rows into a loss, predictions and metrics.
  case taskHead = "task-head"

  /// The kind with a number of ptune.h; `nil` for one that this version does not know.
  init?(_ number: ptune_kind) {
    switch Int(number) {
    case Int(PTUNE_BASE_MODEL): self = .baseModel
    case Int(PTUNE_ADAPTER): self = .adapter
    case Int(PTUNE_SELECTOR): self = .selector
    case Int(PTUNE_TASK_HEAD): self = .taskHead
    default: return nil
    }
  }

  var nounWithArticle: String { (self == .adapter ? "an " : "a ") + noun }

  /// "base model", "adapter": as a sentence has it.
  public var noun: String { rawValue.split(separator: "-").joined(separator: " ") }
}

/// A plugin that can be used.
public struct PluginDescription: Hashable, Sendable {
  /// Its unique id, "org.example.my-method".
  public let id: String
  /// Its version.
  public let version: String
  /// What it was built with: "swift 6.3".
  public let runtime: String
  /// Its absolute path.
  public let file: String
}

/// A component that can be used.
public struct ComponentDescription: Hashable, Sendable {
  /// What it is.
  public let kind: ComponentKind
  /// As users write it: "prefix-tuning".
  public let name: String
  /// One line.
  public let summary: String
  /// Its hyperparameters.
  public let schema: Schema
  /// Markdown; may be empty.
  public let documentation: String
  /// Ids of the interfaces it cannot work without.
  public let needs: [String]
  /// The plugin it is in.
  public let plugin: PluginDescription
}

/// A folder of the search and what came of it.
public struct SearchedFolder: Hashable, Sendable {
  /// What came of a search.
  public enum State: Hashable, Sendable {
    /// It was read and held this many files with a plugin's name.
    case searched(files: Int)
    /// It is not there.
    case missing
    /// It cannot be read or is not safe; a rejection says why.
    case refused
  }

  /// The folder.
  public let folder: SearchFolder
  /// What came of it.
  public let state: State

  init(_ folder: SearchFolder, _ state: State) {
    self.folder = folder
    self.state = state
  }
}

/// All that was found in the folders of a search: every file is in exactly one of these lists.
public struct PluginInventory: Sendable {
  /// In the order of the search.
  public var folders: [SearchedFolder] = []
  /// Plugins that can be used, in the order in which they were found.
  public var plugins: [PluginDescription] = []
  /// Their components, in the same order.
  public var components: [ComponentDescription] = []
  /// Files and components that are left out because others with the same name came first.
  public var shadowed: [Shadowed] = []
  /// Files, folders and components that cannot be used.
  public var rejected: [Rejection] = []

  /// The component with this name, of this kind unless it is `nil`.
  ///
  /// - Throws: `UnknownComponentError` if there is none, or several of different kinds.
  public func component(_ kind: ComponentKind?, named name: String) throws(UnknownComponentError)
    -> ComponentDescription
  {
    let found = components.filter { $0.name == name && (kind == nil || $0.kind == kind) }
    guard let first = found.first, found.count == 1 else {
      throw UnknownComponentError(
        name: name, kind: kind, ofThatName: components.filter { $0.name == name }.map(\.kind),
        known: components.filter { kind == nil || $0.kind == kind }.map(\.name), rejected: rejected.count,
        changed: rejected.first { rejection in
          guard case .changed(_, let names, _, _) = rejection.reason else { return false }
          return names.contains(name)
        },
        lock: rejected.lazy.compactMap { rejection in
          if case .notLocked(let lock) = rejection.reason { lock } else { nil }
        }.first)
    }
    return first
  }
}

/// A name that stands for no component, or for more than one.
public struct UnknownComponentError: Error, Hashable, Sendable {
  /// The name as the user wrote it.
  public let name: String
  /// The kind that was asked for.
  public let kind: ComponentKind?
  /// The kinds that have a component of this name.
  public let ofThatName: [ComponentKind]
  /// The names there are, of this kind.
  public let known: [String]
  /// How many files were found and not used.
  public let rejected: Int
  /// A file that had the component when it was pinned, and has changed.
  public let changed: Rejection?
  /// A lock file that leaves plugins out.
  public let lock: String?
}

extension UnknownComponentError: HelpfulError {
  /// Which name, of which kind.
  public var description: String {
    if let changed { return changed.description }
    if kind == nil, ofThatName.count > 1 {
      return "'\(name)' is the name of \(ofThatName.map(\.nounWithArticle).joined(separator: " and of "))"
    }
    return "there is no \(kind?.noun ?? "component") '\(name)'"
  }

  /// The nearest name, or all of them.
  public var help: String? {
    if let changed { return changed.help }
    if let lock {
      return
        "'\(lock)' leaves out the plugins that it does not pin; `ptune lock` with the run file adds those that it uses"
    }
    if kind == nil, ofThatName.count > 1 { return "say which: --kind \(ofThatName[0].rawValue)" }
    if let kind, let other = ofThatName.first, other != kind {
      return "'\(name)' is \(other.nounWithArticle)"
    }
    if let nearest = Suggestion.nearest(name, among: known) { return "did you mean '\(nearest)'?" }
    let hint = rejected > 0 ? "; `ptune list-plugins` shows \(rejected) that cannot be used, and why" : ""
    if known.isEmpty { return "no plugin has one" + hint }
    return "there are \(known.sorted().joined(separator: ", "))" + hint
  }
}
