import PTuneFormats
import PTuneJinja
import PTuneLibc

/// One turn of a conversation.
public struct ChatMessage: Equatable, Sendable {
  /// "system", "user", "assistant", …
  public let role: String
  /// All its members as they are given, `role` and `content` among them.
  let members: JSONObject

  /// What is said; nil where it is no text.
  public var content: String? { members["content"]?.stringValue }

  /// A turn.
  public init(role: String, content: String) {
    self.role = role
    members = ["role": .string(role), "content": .string(content)]
  }

  /// The turns of a JSON list of objects with `role` and `content`.
  ///
  /// - Throws: ``ChatError`` for anything else.
  public static func conversation(json: String) throws(ChatError) -> [ChatMessage] {
    guard let turns = (try? JSONValue.parse(json))?.arrayValue, !turns.isEmpty else {
      throw ChatError("has to be a JSON list of turns, {\"role\": \"user\", \"content\": \"…\"} each")
    }
    var messages: [ChatMessage] = []
    for (index, turn) in turns.enumerated() {
      guard let members = turn.objectValue, let role = members["role"]?.stringValue else {
        throw ChatError("has no 'role' in turn \(index + 1)")
      }
      messages.append(ChatMessage(role: role, members: members))
    }
    return messages
  }

  private init(role: String, members: JSONObject) { (self.role, self.members) = (role, members) }
}

/// A conversation that cannot be written as text.
public struct ChatError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong; follows the name of what has the conversation.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// How a model wants to read conversations: a Jinja template, rendered as transformers' `apply_chat_template` does.
public struct ChatTemplate: Sendable {
  /// Where it stands: a file, or the name of a format.
  public let place: String
  private let template: JinjaTemplate
  private let tokens: [String: String]

  /// Reads a template.
  ///
  /// - Parameters:
  ///   - place: names it in errors.
  ///   - tokens: the special tokens that it can name: `bos_token` and so on.
  /// - Throws: ``ChatTemplateError``.
  public init(_ source: String, place: String, tokens: [String: String]) throws(ChatTemplateError) {
    do throws(JinjaError) {
      template = try JinjaTemplate(source)
    } catch {
      throw ChatTemplateError(place: place, line: error.line, reason: error.reason)
    }
    (self.place, self.tokens) = (place, tokens)
  }

  /// A conversation as the model reads it.
  ///
  /// - Parameter promptsAnswer: whether the beginning of the model's answer stands at the end.
  /// - Throws: ``ChatTemplateError`` where ptune does not know something that it uses, `ChatError` where it refuses the
  ///   conversation.
  public func text(of messages: [ChatMessage], promptsAnswer: Bool) throws -> String {
    var variables: [(name: String, value: JSONValue)] = tokens.map { ($0.key, .string($0.value)) }
    variables += [
      ("messages", .array(messages.map { .object($0.members) })),
      ("add_generation_prompt", .bool(promptsAnswer)),
      ("tools", .null), ("documents", .null),
    ]
    do throws(JinjaError) {
      return try template.render(variables)
    } catch {
      if error.isRefusal { throw ChatError("is refused by the chat template: \(error.reason)") }
      if let turn = messages.firstIndex(where: { $0.members["content"] ?? .null == .null }) {
        throw ChatError(
          "has no 'content' in turn \(turn + 1), and the chat template of \(place), line \(error.line), wants one: "
            + error.reason)
      }
      throw ChatTemplateError(place: place, line: error.line, reason: error.reason)
    }
  }
}

/// A chat template that ptune cannot use.
public struct ChatTemplateError: Error, Equatable, Sendable {
  /// Where it stands.
  public let place: String
  /// The line of the template, from 1; 0 for none.
  public let line: Int
  /// What is wrong.
  public let reason: String

  /// What to do about it.
  public var help: String? {
    "name another: 'chat_template: chatml' in the task's data, or --chat-template chatml "
      + "(there are \(ChatFormat.names.joined(separator: ", "))), or the path of a .jinja file"
  }
}

extension ChatTemplateError: HelpfulError {
  /// Place and reason, in one line.
  public var description: String {
    "the chat template of \(place)\(line > 0 ? ", line \(line)" : ""): \(reason)"
  }
}
