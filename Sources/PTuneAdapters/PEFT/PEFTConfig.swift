import PTuneComposition
import PTuneFormats

/// The adapter_config.json of a folder that PEFT wrote.
struct PEFTConfig {
  /// The folder.
  let folder: String
  private let members: JSONValue

  /// - Parameter document: what adapter_config.json holds; it has the key `peft_type`.
  init(folder: String, _ document: JSONValue) {
    self.folder = folder
    members = document
  }

  /// The method, as ptune knows it.
  ///
  /// - Throws: ``PEFTError/unsupported(folder:reason:)`` for one that ptune does not have.
  func method() throws -> PEFTMethod {
    let type = try text("peft_type") ?? "null"
    guard let method = PEFTMethod.all.first(where: { $0.type == type }) else {
      throw PEFTError.unsupported(folder: folder, reason: "peft_type is '\(type)'")
    }
    return method
  }

  /// What it was trained for.
  ///
  /// - Throws: ``PEFTError/unsupported(folder:reason:)`` for what ptune has no head for.
  func taskType() throws -> PEFTHead.TaskType {
    guard let type = try text("task_type") else {
      throw PEFTError.unsupported(
        folder: folder, reason: "task_type is not set, so its head and its pooling are unknown")
    }
    guard let known = PEFTHead.TaskType(rawValue: type) else {
      throw PEFTError.unsupported(folder: folder, reason: "task_type is '\(type)'")
    }
    return known
  }

  /// The names of its tasks: `task`, or `task_0`, `task_1`, … where a prompt has several, in the order of PEFT's ids.
  func tasks() throws(AdapterError) -> [String] {
    let count = try count("num_tasks", default: 1)
    return count == 1 ? ["task"] : (0..<count).map { "task_\($0)" }
  }

  /// Members that neither ``PEFTMethod/commonKeys`` nor the method's own keys have, sorted.
  func unknownKeys(_ method: PEFTMethod) -> [String] {
    (members.objectValue?.keys ?? []).filter {
      !PEFTMethod.commonKeys.contains($0) && method.members[$0] == nil
    }.sorted()
  }

  /// A text; nil if it is absent or null.
  func text(_ key: String) throws(AdapterError) -> String? {
    switch members[key] {
    case nil, .null?: nil
    case .string(let text)?: text
    case let other?: throw wrong("has \(other.kind) as '\(key)', which should be a string")
    }
  }

  /// A whole number of at least 1.
  func count(_ key: String, default value: Int? = nil) throws(AdapterError) -> Int {
    switch members[key] {
    case nil, .null?:
      guard let value else { throw wrong("has no key '\(key)'") }
      return value
    case .int(let count)? where count >= 1: return count
    case let other?:
      throw wrong("has \(other.text(.line)) as '\(key)', which should be an integer of at least 1")
    }
  }

  /// A number.
  func number(_ key: String, default value: Double? = nil) throws(AdapterError) -> Double {
    switch members[key] {
    case nil, .null?:
      guard let value else { throw wrong("has no key '\(key)'") }
      return value
    case let number?:
      guard let value = number.doubleValue else {
        throw wrong("has \(number.text(.line)) as '\(key)', which should be a number")
      }
      return value
    }
  }

  /// Any value; nil if it is absent or null.
  func value(_ key: String) -> JSONValue? { members[key] == .null ? nil : members[key] }

  private func wrong(_ reason: String) -> AdapterError {
    .notAnAdapter(folder: folder, reason: "\(AdapterFolder.configName) \(reason)")
  }
}
