import PTuneFormats
import Synchronization

/// The chat template of a model, read when it is first asked for.
public final class ChatTemplates: Sendable {
  /// The names of the formats that ptune knows.
  public static let formats = ChatFormat.names

  private let folders: [String]
  private let tokenizer: any Tokenizer
  private let known = Mutex<[String: ChatTemplate]>([:])

  /// - Parameter folders: where the model's own template is looked for, in this order: folders of models or adapters, or
  ///   GGUF files.
  public init(folders: [String], tokenizer: any Tokenizer) {
    (self.folders, self.tokenizer) = (folders, tokenizer)
  }

  /// A template.
  ///
  /// - Parameter name: `chatml` and so on, or the path of a template; nil for the model's own.
  /// - Throws: ``ChatTemplateError`` if there is none or ptune cannot use it; `TextError` for files that cannot be read.
  public func template(_ name: String?) throws -> ChatTemplate {
    if let template = known.withLock({ $0[name ?? ""] }) { return template }
    let template = try read(name)
    known.withLock { $0[name ?? ""] = template }
    return template
  }

  private func read(_ name: String?) throws -> ChatTemplate {
    guard let name else {
      guard let (source, place) = try own() else {
        throw ChatTemplateError(place: folders.last ?? "", line: 0, reason: "there is none")
      }
      return try ChatTemplate(source, place: place, tokens: try tokens())
    }
    if let source = ChatFormat.source(name) {
      return try ChatTemplate(source, place: "'\(name)'", tokens: try tokens())
    }
    guard ByteFile.exists(name) else {
      throw ChatTemplateError(
        place: "'\(name)'", line: 0, reason: "there is no such format and no such file")
    }
    return try ChatTemplate(try Self.text(name), place: name, tokens: try tokens())
  }

  /// The template of the first folder that has one.
  private func own() throws -> (source: String, place: String)? {
    for folder in folders {
      if let found = try Self.own(folder) { return found }
    }
    return nil
  }

  /// The template that a folder's files hold. Of several the one that is called "default".
  private static func own(_ folder: String) throws -> (source: String, place: String)? {
    func path(_ name: String) -> String { FilePath.join(folder, name) }
    if ModelResolver.isGGUF(folder) {
      let key = "tokenizer.chat_template"
      return try GGUFFile(folder).value(key, "a string", \.string).map { ($0, folder) }
    }
    if ByteFile.exists(path("chat_template.jinja")) {
      return (try text(path("chat_template.jinja")), path("chat_template.jinja"))
    }
    for name in ["chat_template.json", "tokenizer_config.json"] where ByteFile.exists(path(name)) {
      guard let value = try JSONValue.read(path(name))["chat_template"] else { continue }
      if let source = value.stringValue { return (source, path(name)) }
      let named = value.arrayValue?.first { $0["name"]?.stringValue == "default" }
      if let source = named?["template"]?.stringValue { return (source, path(name)) }
    }
    return nil
  }

  private static func text(_ path: String) throws -> String {
    try MappedFile(path).text()
  }

  /// The special tokens by the names that templates have for them.
  private func tokens() throws -> [String: String] {
    let special = tokenizer.specialTokens
    var tokens: [String: String] = [:]
    let ids = [
      "bos_token": special.beginning, "eos_token": special.end, "unk_token": special.unknown,
      "pad_token": special.padding, "cls_token": special.classification, "sep_token": special.separator,
      "mask_token": special.mask,
    ]
    for (name, id) in ids { if let text = id.flatMap(tokenizer.token) { tokens[name] = text } }
    return tokens
  }
}
