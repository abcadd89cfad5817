import PTuneFormats

/// What is wrong with a row of data, or with how rows are to be read.
public enum DataError: HelpfulError, Equatable {
  /// A row of a data file does not suit the head.
  case row(path: String, line: Int, reason: String)
  /// Fewer than two different labels in the training data.
  case tooFewLabels(path: String, labels: [String])
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
    case .tokenWithoutRow(let place, let token, let id, let rows):
      "\(place): the token '\(token)' has the id \(id), but the base model's word embeddings have \(rows) rows"
    case .nothingToPredict(let path, let lines): "\(path): no row has a token to predict (\(RowLines(lines)))"
    case .noPair: "the adapter was trained on pairs of texts, and there is only one"
    case .noField(let name): "the adapter's template asks for the field '\(name)' too"
    case .noEndToken:
      "the tokenizer has no token that ends a text, as those of causal models have, and this task head needs it"
    case .template(let place, .head(let head)):
      "\(place): the head '\(head)' lays out rows itself, so they cannot go through a template"
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
    case .tokenWithoutRow:
      "take the token out of the text, or use the tokenizer that came with the checkpoint, or a checkpoint whose word "
        + "embeddings were resized for it"
    case .nothingToPredict: "see whether these rows are empty, and whether the run names the right columns"
    case .noPair: "give the other one: --text-pair"
    case .noField: "give a file with this column: --input FILE"
    case .noEndToken:
      "take a causal model; if it is one, name the token as eos_token in its tokenizer_config.json"
    case .template(_, .head): "remove the template, or take another head"
    case .template(_, .token(let name, _)): "take {\(name)} out of the template, or another model"
    case .template(_, .label): "name the columns of the text only"
    case .template(_, .noVirtualTokens):
      "take {prompt} out of the template, or an adapter that has 'placement: template', as p-tuning has"
    }
  }
}
