import PTuneComposition
import PTunePlugins
import Yams

/// A run file as it is written: mappings, lists and scalars, each with its place.
struct RunNode: Sendable {
  struct Member {
    let key: String
    let place: RunPlace
    var value: RunNode
  }

  enum Content: Sendable {
    /// The text, and whether it stands without quotes.
    case scalar(String, plain: Bool)
    case list([RunNode])
    case mapping([Member])
  }

  var content: Content
  var place: RunPlace

  /// Whether this stands for "not given".
  var isNull: Bool {
    guard case .scalar(let text, plain: true) = content else { return false }
    return HyperparameterValue.resolve(plain: text) == nil
  }

  /// A scalar as it is written; empty for anything else.
  var text: String {
    if case .scalar(let text, _) = content { text } else { "" }
  }

  /// What this is, for messages.
  var kind: String {
    switch content {
    case .scalar(let text, let plain):
      plain
        ? HyperparameterValue.resolve(plain: text)?.found ?? "empty" : HyperparameterValue.string(text).found
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }
}

extension RunNode {
  private static let sizeLimit = 1 << 20
  private static let nodeLimit = 20_000
  private static let aliasLimit = 16
  private static let depthLimit = 16

  /// Parses a run file; an empty one is an empty mapping. Throws RunFileError.
  static func parse(_ text: String, file: String) throws(RunFileError) -> RunNode {
    try parse(text) { RunPlace.file(file, line: $0) }
  }

  /// Parses the value of a flag.
  static func parse(_ text: String, flag: String) throws(RunFileError) -> RunNode {
    try parse(text) { _ in RunPlace.flag(flag) }
  }

  /// Refuses more bytes than any run file has.
  static func check(size: Int, place: RunPlace) throws(RunFileError) {
    guard size <= sizeLimit else {
      throw RunFileError(place: place, problem: .size("it has \(size) bytes"))
    }
  }

  private static func parse(
    _ text: String, place: (Int) -> RunPlace
  ) throws(RunFileError) -> RunNode {
    try check(size: text.utf8.count, place: place(1))
    // NB: aliases of aliases grow exponentially while the parser compares keys, before our own count begins.
    guard aliases(in: text) <= aliasLimit else {
      throw RunFileError(place: place(1), problem: .size("it has more than \(aliasLimit) aliases"))
    }
    var root: Node?
    do {
      root = try Parser(yaml: text, encoding: .utf8).singleRoot()
    } catch {
      throw RunFileError(error, in: text, place: place)
    }
    guard let root else { return RunNode(content: .mapping([]), place: place(1)) }
    var count = 0
    return try convert(root, place, depth: 0, count: &count)
  }

  /// How many words begin like an alias, "*name".
  private static func aliases(in text: String) -> Int {
    var before = UInt8(ascii: " ")
    var count = 0
    for byte in text.utf8 {
      if before == UInt8(ascii: "*"), byte > 0x20 { count += 1 }
      // Only a star at the beginning of a word counts.
      let opens = before <= 0x20 || "[{,:-?".utf8.contains(before)
      before = byte == UInt8(ascii: "*") && !opens ? UInt8(ascii: "x") : byte
    }
    return count
  }

  private static func convert(
    _ node: Node, _ place: (Int) -> RunPlace, depth: Int, count: inout Int
  ) throws(RunFileError) -> RunNode {
    let here = place(node.mark?.line ?? 1)
    count += 1
    guard count <= nodeLimit else {
      throw RunFileError(place: here, problem: .size("it has more than \(nodeLimit) values"))
    }
    guard depth <= depthLimit else {
      throw RunFileError(place: here, problem: .size("it is nested more than \(depthLimit) deep"))
    }
    switch node {
    case .scalar(let scalar):
      return RunNode(content: .scalar(scalar.string, plain: scalar.style == .plain), place: here)
    case .sequence(let sequence):
      var elements: [RunNode] = []
      for element in sequence {
        elements.append(try convert(element, place, depth: depth + 1, count: &count))
      }
      return RunNode(content: .list(elements), place: here)
    case .mapping(let mapping):
      var members: [Member] = []
      var merged: [Member] = []
      for (key, value) in mapping {
        let keyPlace = place(key.mark?.line ?? 1)
        guard case .scalar(let scalar) = key else {
          throw RunFileError(
            place: keyPlace, problem: .type(key: "key", expected: "text", found: "a list or a mapping"))
        }
        guard !members.contains(where: { $0.key == scalar.string }) else {
          throw RunFileError(place: keyPlace, problem: .duplicateKey(scalar.string))
        }
        let value = try convert(value, place, depth: depth + 1, count: &count)
        if scalar.string == mergeKey, scalar.style == .plain {
          merged += try self.merged(value)
        } else {
          members.append(Member(key: scalar.string, place: keyPlace, value: value))
        }
      }
      // What stands there itself wins, then what was merged first.
      for member in merged where !members.contains(where: { $0.key == member.key }) { members.append(member) }
      return RunNode(content: .mapping(members), place: here)
    case .alias:
      // `singleRoot` replaces aliases by what they stand for.
      throw RunFileError(place: here, problem: .syntax("an alias without an anchor", column: nil))
    }
  }
}

extension RunNode {
  /// Takes over the members of another mapping, or of several. Source: "Merge Key Language-Independent Type for YAML
  /// 1.1", https://yaml.org/type/merge.html.
  private static let mergeKey = "<<"

  private static func merged(_ value: RunNode) throws(RunFileError) -> [Member] {
    let mappings = if case .list(let elements) = value.content { elements } else { [value] }
    var members: [Member] = []
    for mapping in mappings {
      guard case .mapping(let own) = mapping.content else {
        throw RunFileError(
          place: mapping.place,
          problem: .type(key: mergeKey, expected: "a mapping, or a list of mappings", found: mapping.kind))
      }
      members += own
    }
    return members
  }
}

extension RunFileError {
  /// An error of the YAML parser, with its place.
  fileprivate init(_ error: any Error, in text: String, place: (Int) -> RunPlace) {
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
      let from = context.map { ", \($0.text) from \($0.mark)" } ?? ""
      self.init(place: place(mark.line), problem: .syntax(problem + from, column: mark.column))
    case .composer(let context, let problem, let mark, _):
      let text = [context?.text, problem].compactMap { $0 }.joined(separator: ", ")
      self.init(place: place(mark.line), problem: .syntax(text, column: mark.column))
    case .duplicatedKeysInMapping(let keys, let context):
      self.init(place: place(context.mark.line), problem: .duplicateKey(keys.first ?? ""))
    case .reader(let problem, let offset, _, _):
      let before = text.prefix(offset ?? 0).split(separator: "\n", omittingEmptySubsequences: false)
      self.init(
        place: place(max(1, before.count)), problem: .syntax(problem, column: (before.last?.count ?? 0) + 1))
    default:
      self.init(place: place(1), problem: .syntax("\(error)", column: nil))
    }
  }
}
