/// A base model's config.json, or what another file says in its place.
public struct ModelConfig: Sendable {
  /// The path of the file.
  public let path: String
  /// All its members.
  public let members: JSONObject

  /// Reads the config.json of a folder. Throws FileError, JSONError or ConfigError.
  public init(folder: String) throws {
    try self.init(path: FilePath.join(folder, "config.json"))
  }

  /// Reads a file. Throws FileError, JSONError or ConfigError.
  public init(path: String) throws {
    let document = try JSONValue.read(path, options: JSONOptions(duplicates: .keepLast))
    guard let members = document.objectValue else {
      throw ConfigError(file: path, key: nil, expected: "an object", found: document.kind)
    }
    self.init(path: path, members: members)
  }

  /// The members that another format stands for.
  ///
  /// - Parameter path: the file they come from.
  init(path: String, members: JSONObject) {
    self.path = path
    self.members = members
  }

  /// `model_type`: "bert", "gpt2" and so on.
  public var modelType: String? { members["model_type"]?.stringValue }

  /// The name of the base model that computes it: its `model_type`, where a component's name has `-` for `_`.
  public var baseModelName: String? {
    modelType.map { String($0.map { $0 == "_" ? "-" : $0 }) }
  }

  /// `architectures`: the classes that transformers loads it with.
  public var architectures: [String] {
    members["architectures"]?.arrayValue?.compactMap(\.stringValue) ?? []
  }

  /// The labels of `id2label` in the order of their classes; empty without them, or where they are not one different
  /// name for each of 0, 1, 2, ….
  public var labels: [String] {
    guard let named = value("id2label")?.objectValue else { return [] }
    let labels = (0..<named.count).compactMap { named["\($0)"]?.stringValue }
    return labels.count == named.count && Set(labels).count == labels.count ? labels : []
  }

  /// The value of a key, or nil if it is absent or null. A key with dots, as in "rope_scaling.factor" or "layer_types.0",
  /// that the file does not have as such is looked up in the objects and lists within.
  public func value(_ key: String) -> JSONValue? {
    let value = members[key] ?? nested(key)
    return value == .null ? nil : value
  }

  /// An integer, or nil if the key is absent or null.
  public func integer(_ key: String) throws(ConfigError) -> Int? {
    try typed(key, "an integer", \.intValue)
  }

  /// A number, or nil if the key is absent or null.
  public func number(_ key: String) throws(ConfigError) -> Double? {
    try typed(key, "a number", \.doubleValue)
  }

  /// A boolean, or nil if the key is absent or null.
  public func boolean(_ key: String) throws(ConfigError) -> Bool? {
    try typed(key, "a boolean", \.boolValue)
  }

  /// A string, or nil if the key is absent or null.
  public func string(_ key: String) throws(ConfigError) -> String? {
    try typed(key, "a string", \.stringValue)
  }

  /// The ids of tokens: a list of integers, or one; empty if the key is absent or null.
  public func tokenIDs(_ key: String) throws(ConfigError) -> [Int32] {
    guard let value = value(key) else { return [] }
    var ids: [Int32] = []
    for element in value.arrayValue ?? [value] {
      guard let id = element.intValue.flatMap({ Int32(exactly: $0) }), id >= 0 else {
        throw ConfigError(
          file: path, key: key, expected: "a token's id, or a list of them",
          found: element.intValue.map { "\($0)" } ?? element.kind)
      }
      ids.append(id)
    }
    return ids
  }

  /// An integer that has to be there.
  public func requiredInteger(_ key: String) throws(ConfigError) -> Int {
    try required(key, "an integer", try integer(key))
  }

  /// A number that has to be there.
  public func requiredNumber(_ key: String) throws(ConfigError) -> Double {
    try required(key, "a number", try number(key))
  }

  /// A string that has to be there.
  public func requiredString(_ key: String) throws(ConfigError) -> String {
    try required(key, "a string", try string(key))
  }

  private func nested(_ key: String) -> JSONValue? {
    var found: JSONValue? = .object(members)
    for part in key.split(separator: ".", omittingEmptySubsequences: false) {
      if let elements = found?.arrayValue {
        found = Int(part).flatMap { elements.indices.contains($0) ? elements[$0] : nil }
      } else {
        found = found?[String(part)]
      }
    }
    return found
  }

  /// The keys of all values that are not null, with dots for what lies in objects; a list is one key.
  public var paths: [String] {
    func paths(_ members: JSONObject, _ place: String) -> [String] {
      zip(members.keys, members.values).flatMap { key, value -> [String] in
        if let inner = value.objectValue, !inner.isEmpty { return paths(inner, place + key + ".") }
        return value == .null ? [] : [place + key]
      }
    }
    return paths(members, "")
  }

  private func typed<Value>(
    _ key: String, _ expected: String, _ get: (JSONValue) -> Value?
  ) throws(ConfigError) -> Value? {
    guard let value = value(key) else { return nil }
    guard let typed = get(value) else {
      throw ConfigError(file: path, key: key, expected: expected, found: value.kind)
    }
    return typed
  }

  private func required<Value>(
    _ key: String, _ expected: String, _ value: Value?
  ) throws(ConfigError) -> Value {
    guard let value else { throw ConfigError(file: path, key: key, expected: expected, found: nil) }
    return value
  }
}

/// A member of config.json that is missing or of the wrong type.
public struct ConfigError: HelpfulError, Equatable {
  /// The file.
  public let file: String
  /// The key; nil for the whole document.
  public let key: String?
  /// What should be there: "an integer".
  public let expected: String
  /// What is there; nil for nothing.
  public let found: String?

  /// The file, the key and the problem, in one line.
  public var description: String {
    switch (key, found) {
    case (let key?, let found?): "\(file): expected '\(key)' to be \(expected) but found \(found)"
    case (let key?, nil): "\(file): there is no '\(key)', which should be \(expected)"
    case (nil, let found): "\(file): expected \(expected) but found \(found ?? "nothing")"
    }
  }

  /// What to do about it.
  public var help: String? {
    "check whether this is the config.json of a model that the base model plugin supports"
  }
}
