import PTune
import PTuneComposition

/// A value given on the command line that takes the place of one in the run file.
public struct RunOverride: Sendable {
  /// The keys from the top: ["training", "epochs"]. A task is named by its name or its number from 0.
  public internal(set) var path: [String]
  /// The flag as the user gave it, for messages.
  public let flag: String
  let value: RunNode.Content
  /// The adapters that take the place of the run file's; nil for a value of another kind.
  private(set) var adapters: [String]?

  /// A value of a flag of its own, such as `--adapter prefix-tuning` for ["adapter", "plugin"].
  public init(path: [String], text: String, flag: String) {
    self.path = path
    self.flag = flag
    value = .scalar(text, plain: true)
  }

  /// The adapters that `--adapter` names, once for each.
  public init(adapters: [String]) {
    self.init(
      path: ["adapter", "plugin"], text: adapters.joined(separator: ", "),
      flag: adapters.map { "--adapter \($0)" }.joined(separator: " "))
    self.adapters = adapters
  }

  /// The same for one of several adapters, where this is for the only one.
  public func of(adapter name: String) -> RunOverride {
    guard path.first == "adapter" else { return self }
    var override = self
    override.path = ["adapters", name] + path.dropFirst()
    return override
  }

  /// What stands behind `--set`: `training.epochs=5`. The value is read as an unquoted YAML scalar, taken as
  /// it is; one that begins with a quote or with "[" as the YAML text or list that it is. An empty one sets
  /// the default.
  public init(set text: String) throws(RunFileError) { try self.init(set: text, flag: "--set \(text)") }

  /// The same from another flag.
  package init(set text: String, flag: String) throws(RunFileError) {
    self.flag = flag
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    path = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, !path.contains("") else {
      throw RunFileError(place: .flag(flag), problem: .path("expected KEY=VALUE, as in training.epochs=5"))
    }
    let written = String(parts[1])
    if let first = written.first, "[\"'".contains(first) {
      value = try RunNode.parse(written, flag: flag).content
    } else {
      value = .scalar(written, plain: true)
    }
  }
}

extension RunNode {
  /// What a run file says of its adapters, in their order.
  var adapters: [RunNode] {
    guard case .mapping(let members) = content else { return [] }
    return members.flatMap { member -> [RunNode] in
      switch (member.key, member.value.content) {
      case ("adapters", .list(let elements)): elements
      case ("adapter", _): [member.value]
      default: []
      }
    }
  }

  /// Puts a flag's value in its place. Throws RunFileError if there is no such place.
  mutating func apply(_ override: RunOverride) throws(RunFileError) {
    let value = RunNode(content: override.value, place: .flag(override.flag))
    if let names = override.adapters, choose(names, value.place) { return }
    try set(value, at: override.path[...], below: [])
  }

  /// Puts adapters in the place of the run file's; what it says of those that stay is kept. False where one alone
  /// takes the place of another one alone: then a value of its section is set.
  private mutating func choose(_ names: [String], _ place: RunPlace) -> Bool {
    guard case .mapping(var members) = content else { return false }
    let present = adapters
    if names.count == 1, !members.contains(where: { $0.key == "adapters" }) { return false }
    let chosen = names.map { name in
      present.first { $0.name == name } ?? RunNode(content: .scalar(name, plain: false), place: place)
    }
    members.removeAll { ["adapter", "adapters"].contains($0.key) }
    members.append(
      names.count == 1
        ? Member(key: "adapter", place: place, value: chosen[0])
        : Member(key: "adapters", place: place, value: RunNode(content: .list(chosen), place: place)))
    content = .mapping(members)
    return true
  }

  private mutating func set(
    _ value: RunNode, at path: ArraySlice<String>, below: [String]
  ) throws(RunFileError) {
    guard let key = path.first else {
      self = value
      return
    }
    switch content {
    case .mapping(var members):
      let place = members.firstIndex { $0.key == key }
      var child = place.map { members[$0].value } ?? RunNode(content: .mapping([]), place: value.place)
      if path.count > 1, child.isNull { child = RunNode(content: .mapping([]), place: value.place) }
      try child.set(value, at: path.dropFirst(), below: below + [key])
      if let place {
        members[place] = Member(
          key: key, place: path.count == 1 ? value.place : members[place].place, value: child)
      } else {
        members.append(Member(key: key, place: value.place, value: child))
      }
      content = .mapping(members)
    case .list(var elements):
      guard let place = elements.place(named: key) else {
        let names = elements.compactMap(\.name)
        let known = names.map { "'\($0)'" }.joined(separator: ", ")
        let nearest = Suggestion.nearest(key, among: names).map { "; did you mean '\($0)'?" }
        throw RunFileError(
          place: value.place,
          problem: .path(
            "there is no '\(key)' in \(below.joined(separator: "."))"
              + (nearest ?? (known.isEmpty ? "" : "; there are \(known)"))))
      }
      try elements[place].set(value, at: path.dropFirst(), below: below + [key])
      content = .list(elements)
    case .scalar(let text, let plain):
      // `adapter: prompt-tuning` stands for `adapter: {plugin: prompt-tuning}`.
      let isListed = below.dropLast().last == "adapters"
      guard let last = below.last, isListed || RunSpec.shorthands.contains(last) else {
        let section = below.joined(separator: ".")
        throw RunFileError(
          place: value.place, problem: .path("'\(section)' is \(kind) and has no '\(key)'"))
      }
      let plugin = RunNode(content: .scalar(text, plain: plain), place: place)
      content = .mapping([Member(key: "plugin", place: place, value: plugin)])
      try set(value, at: path, below: below)
    }
  }

  /// What an element of a list goes by: the text of its member `name`, or the adapter that it names.
  var name: String? {
    if case .scalar(let text, _) = content { return text }
    guard case .mapping(let members) = content,
      let name = members.first(where: { $0.key == "name" }) ?? members.first(where: { $0.key == "plugin" }),
      case .scalar(let text, _) = name.value.content
    else { return nil }
    return text
  }
}

extension [RunNode] {
  fileprivate func place(named key: String) -> Int? {
    firstIndex { $0.name == key } ?? Int(key).flatMap { indices.contains($0) ? $0 : nil }
  }
}
