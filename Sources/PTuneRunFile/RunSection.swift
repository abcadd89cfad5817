import PTune
import PTuneComposition
import PTunePlugins

/// A mapping of a run file while its members are taken out and checked.
struct RunSection {
  /// For messages: "training", "data of task 'sentiment'"; empty for the whole file.
  let name: String
  let place: RunPlace
  private let members: [RunNode.Member]

  /// A mapping with these keys and no others; with any if `keys` is nil.
  init(_ node: RunNode, name: String, keys: [String]?) throws(RunFileError) {
    guard case .mapping(let members) = node.content else {
      throw RunFileError(
        place: node.place,
        problem: .type(key: name.isEmpty ? "run file" : name, expected: "a mapping", found: node.kind))
    }
    if let keys {
      for member in members where !keys.contains(member.key) {
        throw RunFileError(
          place: member.place, problem: .unknownKey(member.key, section: name, known: keys))
      }
    }
    self.name = name
    self.place = node.place
    self.members = members
  }

  /// The keys that are there, in order.
  var keys: [String] { members.map(\.key) }

  /// The value of a key; nil if it is absent or null.
  func node(_ key: String) -> RunNode? {
    members.first { $0.key == key }.flatMap { $0.value.isNull ? nil : $0.value }
  }

  func required<Value>(_ key: String, _ value: Value?) throws(RunFileError) -> Value {
    guard let value else { throw RunFileError(place: place, problem: .missing(key, section: name)) }
    return value
  }

  /// Text; a number or a boolean is taken as it is written.
  func text(_ key: String) throws(RunFileError) -> Located<String>? {
    guard let node = node(key) else { return nil }
    guard case .scalar(let text, _) = node.content else { throw wrongType(key, "text", node) }
    return Located(text, node.place)
  }

  /// A list of texts.
  func texts(_ key: String) throws(RunFileError) -> [Located<String>]? {
    guard let node = node(key) else { return nil }
    guard case .list(let elements) = node.content else { throw wrongType(key, "a list of texts", node) }
    var texts: [Located<String>] = []
    for element in elements {
      guard case .scalar(let text, _) = element.content else {
        throw wrongType("an element of \(key)", "a text", element)
      }
      texts.append(Located(text, element.place))
    }
    return texts
  }

  /// A text, or a list of texts, of which there has to be one that is not empty.
  func nonEmptyTexts(_ key: String) throws(RunFileError) -> [Located<String>] {
    guard let node = node(key), case .list = node.content else { return [try nonEmptyText(key)] }
    let texts = try texts(key) ?? []
    guard !texts.isEmpty, !texts.contains(where: \.value.isEmpty) else {
      throw RunFileError(
        place: node.place, problem: .type(key: key, expected: "a text or a list of texts", found: "empty"))
    }
    return texts
  }

  /// Text without which nothing works.
  func nonEmptyText(_ key: String) throws(RunFileError) -> Located<String> {
    let text = try required(key, try text(key))
    guard !text.value.isEmpty else {
      throw RunFileError(
        place: text.place, problem: .range(key: key, found: "empty", rule: "must say something"))
    }
    return text
  }

  func boolean(_ key: String) throws(RunFileError) -> Bool? {
    guard let (value, node) = try value(key) else { return nil }
    guard case .bool(let boolean) = value else { throw wrongType(key, "true or false", node) }
    return boolean
  }

  func integer(_ key: String, _ limits: RunLimits) throws(RunFileError) -> Int? {
    guard let (value, node) = try value(key) else { return nil }
    guard case .int(let integer) = value else { throw wrongType(key, "an integer", node) }
    guard limits.allow(Double(integer)) else {
      throw beyond(key, limits.rule(against: Double(integer)), node)
    }
    return integer
  }

  func number(_ key: String, _ limits: RunLimits) throws(RunFileError) -> Double? {
    guard let (value, node) = try value(key) else { return nil }
    let number: Double
    switch value {
    case .int(let integer): number = Double(integer)
    case .double(let double): number = double
    default: throw wrongType(key, "a number", node)
    }
    guard limits.allow(number) else { throw beyond(key, limits.rule(against: number), node) }
    return number
  }

  func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, _: Choice.Type
  ) throws(RunFileError) -> Choice? where Choice.RawValue == String {
    guard let text = try text(key) else { return nil }
    guard let choice = Choice(rawValue: text.value) else {
      let known = Choice.allCases.map(\.rawValue)
      let suggestion = Suggestion.nearest(text.value, among: known).map { "; did you mean '\($0)'?" } ?? ""
      throw RunFileError(
        place: text.place,
        problem: .range(
          key: key, found: "'\(text.value)'\(suggestion)",
          rule: "must be one of \(known.joined(separator: ", "))"))
    }
    return choice
  }

  /// "epoch", "never" or a number of steps.
  func interval(_ key: String) throws(RunFileError) -> TrainingInterval? {
    guard let (value, node) = try value(key) else { return nil }
    switch value {
    case .string("epoch"): return .epoch
    case .string("never"): return .never
    case .int(let steps) where steps >= 1: return .steps(steps)
    default: throw wrongType(key, "'epoch', 'never' or a number of steps from 1", node)
    }
  }

  /// Every member but these, as a plugin's hyperparameters.
  func hyperparameters(except known: [String]) throws(RunFileError) -> [String: Located<HyperparameterValue>]
  {
    var values: [String: Located<HyperparameterValue>] = [:]
    for member in members where !known.contains(member.key) && !member.value.isNull {
      values[member.key] = Located(try hyperparameter(member), member.value.place)
    }
    return values
  }

  private func hyperparameter(_ member: RunNode.Member) throws(RunFileError) -> HyperparameterValue {
    let expected = "a value or a list of texts"
    switch member.value.content {
    case .mapping: throw wrongType(member.key, expected, member.value)
    case .scalar(let text, let plain):
      return plain ? HyperparameterValue.resolve(plain: text) ?? .string(text) : .string(text)
    case .list(let elements):
      var texts: [String] = []
      for element in elements {
        guard case .scalar(let text, _) = element.content else {
          throw wrongType("an element of \(member.key)", "a value", element)
        }
        texts.append(text)
      }
      return .strings(texts)
    }
  }

  private func value(_ key: String) throws(RunFileError) -> (HyperparameterValue, RunNode)? {
    guard let node = node(key) else { return nil }
    guard case .scalar(let text, let plain) = node.content else {
      throw wrongType(key, "a single value", node)
    }
    guard plain, let value = HyperparameterValue.resolve(plain: text) else { return (.string(text), node) }
    return (value, node)
  }

  private func wrongType(_ key: String, _ expected: String, _ node: RunNode) -> RunFileError {
    RunFileError(place: node.place, problem: .type(key: key, expected: expected, found: node.kind))
  }

  private func beyond(_ key: String, _ rule: String, _ node: RunNode) -> RunFileError {
    RunFileError(place: node.place, problem: .range(key: key, found: node.text, rule: rule))
  }
}

/// What a number may be.
struct RunLimits: Sendable {
  var atLeast: Double?
  var above: Double?
  var atMost: Double?
  var below: Double?
  /// The largest number that can be counted with; it is named only to who goes beyond.
  var ceiling: Double?

  func allow(_ number: Double) -> Bool {
    number.isFinite && number <= ceiling ?? number && number >= atLeast ?? number
      && number <= atMost ?? number
      && number > above ?? -.infinity && number < below ?? .infinity
  }

  /// The rule that a number breaks.
  func rule(against number: Double) -> String {
    ceiling.flatMap { number > $0 ? "must be at most \(Self.text($0))" : nil } ?? rule
  }

  /// "must be at least 1 and below 2".
  var rule: String {
    let parts = [
      atLeast.map { "at least \(Self.text($0))" }, above.map { "above \(Self.text($0))" },
      atMost.map { "at most \(Self.text($0))" }, below.map { "below \(Self.text($0))" },
    ]
    return "must be " + parts.compactMap { $0 }.joined(separator: " and ")
  }

  private static func text(_ number: Double) -> String {
    Int(exactly: number).map(String.init) ?? "\(number)"
  }
}
