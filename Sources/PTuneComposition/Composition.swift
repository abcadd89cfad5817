import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText

/// A base model, perhaps a selector, an adapter and heads, put together from plugins, and what is needed to feed
/// them.
public final class Composition {
  /// What computes.
  public let model: Model
  /// The base model's folder.
  public let modelFolder: String
  /// The base model as the user named it.
  public let modelName: String
  /// The base model's files.
  public let checkpoint: ModelCheckpoint
  /// The base model's component.
  public let base: ComponentChoice
  /// Cuts text into pieces.
  public let tokenizer: any Tokenizer
  /// How the base model reads conversations.
  public let chat: ChatTemplates
  /// The tuning methods and their hyperparameters, in their order.
  public let adapters: [ComponentChoice]
  /// What weighs the adapter's pool; nil for an adapter without one.
  public let selector: ComponentChoice?
  /// The learning rate that the adapter recommends for AdamW; nil if it does not say.
  public var recommendedLearningRate: Double? { model.recommendedLearningRate }
  /// The tasks.
  public let tasks: [ComposedTask]
  /// The plugins in use.
  public let plugins: [UsedPlugin]
  /// Tokens that a text may have, special tokens included.
  public let maximumLength: Int
  /// How rows become what the base model is given.
  package let input: InputReading
  let pieces: PieceCache
  /// The columns that the head of a task took by their names from its first row, without the run naming them; for heads
  /// that lay out rows themselves.
  public internal(set) var columnsTaken: [Int: [String]] = [:]

  init(
    model: Model, modelFolder: String, modelName: String, checkpoint: ModelCheckpoint, base: ComponentChoice,
    tokenizer: any Tokenizer, chat: ChatTemplates, adapters: [ComponentChoice], selector: ComponentChoice?,
    tasks: [ComposedTask], plugins: [UsedPlugin], maximumLength: Int, input: InputReading
  ) {
    self.model = model
    self.modelFolder = modelFolder
    self.modelName = modelName
    self.checkpoint = checkpoint
    self.base = base
    self.tokenizer = tokenizer
    self.chat = chat
    pieces = PieceCache(tokenizer)
    self.adapters = adapters
    self.selector = selector
    self.tasks = tasks
    self.plugins = plugins
    self.maximumLength = maximumLength
    self.input = input
  }

  /// Reads rows of a task as the composition's input wants them.
  ///
  /// - Parameters:
  ///   - data: the columns; nil for the task's own.
  ///   - otherTextColumn: the column of the text in rows that do not have the one that `data` names.
  package func source(
    task: Int, data: DataSpec? = nil, otherTextColumn: String? = nil
  ) -> RowSource {
    RowSource(
      data: data ?? tasks[task].data, tokenizer: tokenizer, chat: chat, otherTextColumn: otherTextColumn,
      reading: reading(task: task), input: input, vocabularySize: model.facts?.vocabularySize)
  }

  /// Encodes rows of a task: laid out as sequences, with the head's targets where there is a label.
  ///
  /// - Parameter keepingRows: whether examples keep their rows, for evaluations.
  /// - Throws: ``DataError/row(path:line:reason:)`` for a label that the head refuses.
  package func encode(
    _ rows: [TokenizedRow], task: Int, path: String, keepingRows: Bool = false
  ) throws -> [EncodedExample] {
    try rows.map { try encode($0, task: task, path: path, keepingRow: keepingRows) }
  }

  func encode(
    _ row: TokenizedRow, task: Int, path: String, keepingRow: Bool = false
  ) throws -> EncodedExample {
    let path = row.file ?? path
    let laidOut = try layOut(row, task: task, path: path)
    var targets: TargetCollector?
    if row.fields["label"] != nil || reading(task: task).needsNoLabel {
      do {
        targets = try model.encode(laidOut.row, task: task)
      } catch let failure as EngineFailure {
        throw DataError.row(path: path, line: row.line, reason: failure.reason)
      }
    }
    return laidOut.example(
      file: row.file, line: row.line, integers: targets?.integers ?? [], numbers: targets?.numbers ?? [],
      source: keepingRow ? row : nil)
  }

  /// A packed batch of examples of one task.
  package func batch(_ examples: some Sequence<EncodedExample>, task: Int, training: Bool) -> PackedBatch {
    batch(examples.map { (task, $0) }, training: training)
  }

  /// A packed batch of examples; those of a task have to stand together.
  package func batch(_ examples: [(task: Int, example: EncodedExample)], training: Bool) -> PackedBatch {
    PackedBatch(
      examples: examples.map { $1.sequences(task: $0, hasTypes: input.usesTokenTypes) }, training: training,
      uncountedToken: input.uncountedToken)
  }
}

extension EncodedExample {
  /// Its sequences as a batch takes them, the targets with the first.
  fileprivate func sequences(task: Int, hasTypes: Bool) -> [PackedBatch.Sequence] {
    offsets.indices.dropLast().map { index in
      let range = Int(offsets[index])..<Int(offsets[index + 1])
      return PackedBatch.Sequence(
        tokens: Array(tokens[range]), tokenTypes: range.map { hasTypes ? types[$0] : 0 }, task: Int32(task),
        integers: index == 0 ? integers : [], numbers: index == 0 ? numbers : [],
        marks: index == 0 ? marks : [], context: contexts.isEmpty ? nil : contexts[index], padding: padding)
    }
  }
}
