import PTuneAdapters
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText

/// A causal base model, with an adapter or without, and what is needed to go on with prompts.
public final class GenerationModel {
  let model: Model
  let tokenizer: any Tokenizer
  /// Which of the adapter's tasks the prompts are for.
  let task: Int
  /// Tokens that end a text.
  private(set) var endTokens: Set<Int32>
  private let rows: RowSource?
  private let templates: ChatTemplates
  /// How prompts become turns of a conversation; nil where they are gone on with as they are.
  private var chat: ChatPrompts?

  /// A trained adapter on its base model.
  ///
  /// - Parameter task: the number of one of its tasks.
  /// - Throws: what is wrong with generation_config.json or config.json.
  public convenience init(_ run: AdapterRun, task: Int) throws {
    try self.init(run.composition, task: task)
  }

  /// An unchanged composition.
  ///
  /// - Throws: what is wrong with generation_config.json or config.json.
  package init(_ composition: Composition, task: Int) throws {
    (model, tokenizer, self.task) = (composition.model, composition.tokenizer, task)
    endTokens = try Self.endTokens(
      composition.checkpoint.config, folder: composition.modelFolder, composition.tokenizer)
    templates = composition.chat
    rows = composition.source(task: task, otherTextColumn: "text")
    if composition.tasks[task].data.hasConversations { try converse(system: nil, template: nil) }
  }

  /// A base model as it is.
  ///
  /// - Parameters:
  ///   - name: a folder, or a name in a cache.
  ///   - threads: threads to compute with; nil for all cores.
  ///   - compute: what products with the model's weights round to.
  ///   - log: takes messages of components.
  /// - Throws: `CompositionError`, and what is wrong with the files or the plugin.
  public init(
    baseModel name: String, threads: Int?, compute: ComputePrecision = .f32, registry: PluginRegistry,
    resolver: ModelResolver = ModelResolver(), log: @escaping (_ level: Int32, _ message: String) -> Void
  ) throws {
    let folder = try resolver.resolve(name).folder
    let factory = ComponentFactory(registry: registry)
    let checkpoint = try ModelCheckpoint(folder: folder)
    let base = try factory.loadBase(nil, of: checkpoint)
    tokenizer = try MissingTokenizer.orTokenizer(of: checkpoint, folder: folder)
    templates = ChatTemplates(folders: [folder], tokenizer: tokenizer)
    model = Model(
      session: Session(
        threads: ThreadPool(count: threads ?? Processors.count), seed: 0, precision: compute))
    compute.announce(log)
    model.session.log = log
    try factory.setBase(of: model, base, checkpoint, tokenizer, folder: folder, counts: TokenCounts())
    (task, rows) = (0, nil)
    endTokens = try Self.endTokens(checkpoint.config, folder: folder, tokenizer)
  }

  /// For tests: a model as it stands, whose texts never end by themselves.
  init(_ model: Model, _ tokenizer: any Tokenizer) {
    (self.model, self.tokenizer, task, endTokens, rows) = (model, tokenizer, 0, [], nil)
    templates = ChatTemplates(folders: [""], tokenizer: tokenizer)
  }

  /// Positions that a prompt may take.
  var room: Int { (model.facts?.positions ?? .max) - model.adapterPositions }

  /// What generation_config.json says ends a text, else config.json; and the tokenizer's token for it, which ended the
  /// texts of a training.
  private static func endTokens(
    _ config: ModelConfig, folder: String, _ tokenizer: any Tokenizer
  ) throws -> Set<Int32> {
    let path = FilePath.join(folder, "generation_config.json")
    let own = FileSystem.isFile(path) ? try ModelConfig(path: path) : config
    let key = "eos_token_id"
    var tokens = Set(try own.value(key) == nil ? config.tokenIDs(key) : own.tokenIDs(key))
    if let end = tokenizer.specialTokens.end { tokens.insert(end) }
    return tokens
  }

  // MARK: - Prompts

  /// A prompt that stands in no file.
  ///
  /// - Parameter place: names it in errors.
  /// - Throws: ``GenerationError`` if it is too long, or if the task's template asks for more fields.
  public func prompt(_ text: String, place: String) throws -> GenerationPrompt {
    if let rows, rows.data.template != nil,
      case .templated(let templated) = try rows.row(text: text, pair: nil).content
    {
      return try prompt(templated, text: text, id: nil, place: place)
    }
    if let chat { return try prompt(chat.turns(text), text: text, id: nil, place: place) }
    return try prompt(text, id: nil, place: place)
  }

  /// The prompts of a file, one a row: its column `prompt`, the text column of the adapter's task, `text`, or
  /// `input_ids`; a column `id` is handed on.
  ///
  /// - Parameters:
  ///   - path: the file; `-` is standard input.
  ///   - format: how it is laid out; by default JSON lines, TSV or CSV where its name says so, else a prompt a line.
  /// - Throws: `TextError` if it cannot be read.
  public func prompts(of path: String, format: DataFormat?) throws -> () throws -> GenerationPrompt? {
    let named: DataFormat? = path.hasSuffix(".txt") ? .text : try? DataFormat(path: path)
    let reader = try RowReader(path: path, format: format ?? named ?? .text)
    let name = InputPath.shown(path)
    return { try reader.next().map { try self.prompt($0, place: "\(name):\($0.line)") } }
  }

  /// The prompt of a row.
  func prompt(_ row: Row, place: String) throws -> GenerationPrompt {
    let text = row["prompt"] ?? rows.flatMap { row[$0.data.text.value] } ?? row["text"]
    if let rows, let template = rows.data.template?.value,
      case .templated(let templated) = try rows.templated(template, row, text)
    {
      return try prompt(templated, text: text, id: row["id"], place: place)
    }
    if text == nil,
      let given = try GivenTokens(
        row, vocabularySize: model.facts?.vocabularySize ?? tokenizer.vocabularySize)
    {
      return try checked(
        GenerationPrompt(id: row["id"], text: nil, tokens: given.ids, marks: []), place: place)
    }
    if text == nil, let json = row[RowSource.messagesColumn] {
      let turns = try inChat(place, "'\(RowSource.messagesColumn)' ") {
        try ChatMessage.conversation(json: json)
      }
      return try prompt(chat?.turns(turns) ?? turns.asked, text: nil, id: row["id"], place: place)
    }
    if let chat {
      return try prompt(chat.turns(try text ?? row.value("prompt")), text: text, id: row["id"], place: place)
    }
    return try prompt(text ?? row.value("prompt"), id: row["id"], place: place)
  }

  /// The text behind the special tokens that stand in front of a text; none ends it.
  private func prompt(_ text: String, id: String?, place: String) throws -> GenerationPrompt {
    try tokenizer.checkPresent()
    let front = tokenizer.template.single.compactMap { part -> Int32? in
      if case .special(let id, _) = part { id } else { nil }
    }.prefix(tokenizer.template.single.prefix { if case .special = $0 { true } else { false } }.count)
    var tokens = front + tokenizer.pieces(text).map(\.id)
    if tokens.isEmpty, let beginning = tokenizer.specialTokens.beginning { tokens = [beginning] }
    return try checked(
      GenerationPrompt(id: id, text: text, tokens: Array(tokens), marks: []), place: place)
  }

  private func prompt(
    _ templated: TemplatedText, text: String?, id: String?, place: String
  ) throws -> GenerationPrompt {
    let encoding = try tokenizer.encode(
      templated, virtualTokens: model.adapterPositions, maximumLength: nil)
    let last = tokenizer.template.single.reversed().prefix { if case .special = $0 { true } else { false } }
    let marks = encoding.marks.map { min($0, Int32(encoding.count - last.count)) }
    return try checked(
      GenerationPrompt(id: id, text: text, tokens: Array(encoding.ids.dropLast(last.count)), marks: marks),
      place: place)
  }

  /// Makes prompts turns of the user, which the model's chat template writes.
  ///
  /// - Parameters:
  ///   - system: what the system says first; nil for nothing.
  ///   - template: the name of a format or a file, in the place of the adapter's and the model's own.
  /// - Throws: `ChatTemplateError` if there is none that ptune can use; `TextError`.
  public func converse(system: String?, template: String?) throws {
    chat = ChatPrompts(system: system, template: template)
    // A model that was not trained on conversations does not know that its answer has ended.
    if let end = tokenizer.answerEnd(try chatTemplate()) { endTokens.insert(end) }
  }

  /// Takes prompts as they are, though the adapter was trained on conversations.
  public func goOnPlainly() { chat = nil }

  /// Where the template stands that writes prompts as turns of a conversation; nil where they are gone on with as they
  /// are.
  ///
  /// - Throws: as ``converse(system:template:)``.
  public var conversationTemplate: String? { get throws { try chat.map { _ in try chatTemplate().place } } }

  /// Whether the model has learnt from conversations in this form.
  private var isTrained: Bool { rows?.data.hasConversations ?? false }

  private func chatTemplate() throws -> ChatTemplate {
    try templates.template(chat?.template ?? rows?.data.chatTemplate?.value)
  }

  private func prompt(
    _ turns: [ChatMessage], text: String?, id: String?, place: String
  ) throws -> GenerationPrompt {
    try tokenizer.checkPresent()
    let written = try inChat(place, "the conversation ") {
      let template = try chatTemplate()
      return isTrained
        ? try template.promptAsLearnt(turns) : try template.text(of: turns, promptsAnswer: true)
    }
    return try checked(
      GenerationPrompt(id: id, text: text ?? written, tokens: tokenizer.pieces(written).map(\.id), marks: []),
      place: place)
  }

  private func inChat<Value>(_ place: String, _ what: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as ChatError {
      throw GenerationError.conversation(place: place, reason: "\(what)\(error)")
    }
  }

  private func checked(_ prompt: GenerationPrompt, place: String) throws -> GenerationPrompt {
    guard !prompt.tokens.isEmpty else { throw GenerationError.emptyPrompt(place: place) }
    try model.checkRows(for: prompt.tokens, tokenizer, place: place)
    guard prompt.tokens.count <= room else {
      throw GenerationError.longPrompt(place: place, tokens: prompt.tokens.count, room: room)
    }
    return prompt
  }
}

/// What a causal model goes on with.
public struct GenerationPrompt: Equatable, Sendable {
  /// The row's column `id`, if it has one.
  public let id: String?
  /// The text; nil where the row has tokens.
  public let text: String?
  /// Its tokens, with the special ones in front.
  public let tokens: [Int32]
  /// In front of which token each virtual token of a template stands.
  let marks: [Int32]

  init(id: String?, text: String?, tokens: [Int32], marks: [Int32]) {
    (self.id, self.text, self.tokens, self.marks) = (id, text, tokens, marks)
  }
}
