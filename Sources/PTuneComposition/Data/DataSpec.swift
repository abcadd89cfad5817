import PTuneText

/// The data of a task. Paths are absolute; in a run file they are seen from the run file's folder, in a flag from the
/// current one.
public struct DataSpec: Equatable, Sendable {
  /// What is trained on.
  public var train: Located<String>
  /// Further files of rows to train on.
  public var furtherTrain: [Located<String>] = []
  /// What decides which adapter is best.
  public var validation: Located<String>?
  /// What is reported at the end.
  public var test: Located<String>?
  /// The layout; nil for what the file's extension says.
  public var format: DataFormat?
  /// Whether the first line names the columns; nil for what the format usually has.
  public var header: Bool?
  /// The column of the text.
  public var text: Located<String>
  /// The column of a second text, if there is one.
  public var textPair: Located<String>?
  /// The column of the label.
  public var label: Located<String>
  /// How the fields of a row become the text that the model reads; nil for the text, or the two, as they stand.
  public var template: Located<TextTemplate>?
  /// How conversations become text: the name of a format, or the absolute path of a Jinja template; nil for the
  /// model's own.
  public var chatTemplate: Located<String>?
  /// Whether an adapter was trained on conversations.
  public var hasConversations = false
  /// Further fields that a head asks for by name, and their columns.
  public var fields: [String: Located<String>]
  /// How many rows of each file are used, from its beginning; nil for all.
  public var maximumRows: Int?

  /// How the rows of a task are read; paths may be empty where no file is meant.
  public init(
    train: Located<String>, validation: Located<String>? = nil, test: Located<String>? = nil,
    format: DataFormat? = nil, header: Bool? = nil, text: Located<String>, textPair: Located<String>? = nil,
    label: Located<String>, template: Located<TextTemplate>? = nil, chatTemplate: Located<String>? = nil,
    fields: [String: Located<String>], maximumRows: Int? = nil
  ) {
    self.train = train
    self.validation = validation
    self.test = test
    self.format = format
    self.header = header
    self.text = text
    self.textPair = textPair
    self.label = label
    self.template = template
    self.chatTemplate = chatTemplate
    self.fields = fields
    self.maximumRows = maximumRows
  }
}

extension DataSpec {
  /// The fields for which the run names a column, sorted; what the run leaves out is taken by its name.
  var namedFields: [String] {
    (fields.keys + (text.value == "text" ? [] : ["text"]) + (textPair == nil ? [] : ["text_pair"])).sorted()
  }

  /// The columns that the run gives to a field.
  var fieldColumns: Set<String> {
    Set(
      fields.values.map(\.value) + (text.value == "text" ? [] : [text.value])
        + [textPair?.value].compactMap { $0 })
  }
}
