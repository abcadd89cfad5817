import PTuneFormats
import PTuneText

/// What is wrong with a row of data, or with how rows are to be read.
public enum DataError: HelpfulError, Equatable {
  /// A row of a data file does not fit the head.
  case row(path: String, line: Int, reason: String)
  /// Fewer than two different labels in the training data.
  case tooFewLabels(path: String, labels: [String])
  /// A data file cannot be read at all; where the run names it.
  case file(RunPlace, TextError)
  /// Text and label in one column.
  case sameColumn(RunPlace, String)
  /// Text and label that were most likely given the wrong way round.
  case swapped(RunPlace, label: String, labels: Int, text: String, texts: Int, rows: Int)
  /// Two texts where the adapter was trained on single ones.
  case needlessPair
  /// A token of a text that the base model's word embeddings have no row for; `place` is its file and line.
  case tokenWithoutRow(place: String, token: String, id: Int, rows: Int)
  /// No row of a file has anything to predict.
  case nothingToPredict(path: String, lines: [Int])
  /// One text where the adapter was trained on pairs.
  case noPair
  /// A text alone where the template asks for a field of a row.
  case noField(String)
  /// A head goes on with texts, and the tokenizer has no token that ends one.
  case noEndToken
  /// A template that cannot be used here.
  case template(RunPlace, TemplateProblem)
}

/// Why a template cannot be used.
public enum TemplateProblem: Equatable, Sendable {
  /// The head lays out rows itself.
  case head(String)
  /// The tokenizer of the model has no token of this kind.
  case token(String, model: String)
  /// A field of the template is the column of the label.
  case label(field: String, column: String)
  /// `{prompt}` without virtual tokens among the words.
  case noVirtualTokens(adapter: String)
}

extension DataError {
  /// What is wrong, where.
  public var description: String {
    switch self {
    case .row(let path, let line, let reason): "\(path):\(line): \(reason)"
    case .tooFewLabels(let path, let labels):
      "\(path) holds \(labels.isEmpty ? "no label" : "only the label '\(labels[0])'"); two or more are needed"
    case .file(let place, let error): "\(place): \(error)"
    case .sameColumn(let place, let column): "\(place): 'text' and 'label' are the same column, '\(column)'"
    case .swapped(let place, let label, let labels, let text, let texts, let rows):
      "\(place): the column '\(label)', named as the label, has \(labels) different values in \(rows) rows, and "
        + "'\(text)', named as the text, has \(texts)"
    case .needlessPair: "the adapter was trained on single texts, and there are two"
    case .tokenWithoutRow(let place, let token, let id, let rows):
      "\(place): the token '\(token)' has the id \(id), but the base model's word embeddings have \(rows) rows"
    case .nothingToPredict(let path, let lines): "\(path): no row has a token to predict (\(RowLines(lines)))"
    case .noPair: "the adapter was trained on pairs of texts, and there is only one"
    case .noField(let name): "the adapter's template also needs the field '\(name)'"
    case .noEndToken:
      "the tokenizer has no token that ends a text, as those of causal models have, and this task head needs it"
    case .template(let place, .head(let head)):
      "\(place): the head '\(head)' arranges a row's sequences itself, so it cannot be used with a template"
    case .template(let place, .token(let name, let model)):
      "\(place): the template has {\(name)}, but the tokenizer of '\(model)' has no \(name) token"
    case .template(let place, .label(let field, let column)):
      "\(place): the template shows the label to the model: {\(field)} is the column '\(column)'"
    case .template(let place, .noVirtualTokens(let adapter)):
      "\(place): the template has {prompt}, but the adapter '\(adapter)' has no virtual tokens among the words"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .row: "correct the row, or check the columns and labels that the run names"
    case .tooFewLabels: "check the 'label' column of the data section"
    case .file(_, let error): error.help
    case .sameColumn: "name the column that holds the labels"
    case .swapped(_, let label, _, let text, _, _): "if they were swapped: 'text: \(label)' and 'label: \(text)'"
    case .needlessPair: "leave --text-pair out"
    case .tokenWithoutRow:
      "remove the token from the text, or use the tokenizer that came with the checkpoint, or a checkpoint whose word "
        + "embeddings were resized for it"
    case .nothingToPredict: "check whether these rows are empty, and whether the run names the right columns"
    case .noPair: "give the second one with --text-pair"
    case .noField: "give a file with this column: --input FILE"
    case .noEndToken:
      "use a causal model; if it is one, name the token as eos_token in its tokenizer_config.json"
    case .template(_, .head): "remove the template, or use another head"
    case .template(_, .token(let name, _)): "remove {\(name)} from the template, or use another model"
    case .template(_, .label): "use only the columns of the text"
    case .template(_, .noVirtualTokens):
      "remove {prompt} from the template, or use an adapter with 'placement: template', such as p-tuning"
    }
  }
}
