import PTune
import PTuneText

extension RowSource {
  /// A row's fields in the task's template.
  ///
  /// - Parameter text: the row's text, if it has one.
  /// - Throws: `TextError` for a field that the row does not have, ``TrainingError/row(path:line:reason:)`` for one
  ///   that cannot stand in the template.
  package func templated(_ template: TextTemplate, _ row: Row, _ text: String?) throws -> TokenizedRow.Content
  {
    try tokenizer.checkPresent()
    return try inRow(row.columns.path, row.line) {
      .templated(
        try tokenizer.pieces(template) { name in
          if name == "text", let text { return text }
          return try row.text(data.column(of: name)) ?? row.value(data.column(of: name))
        })
    }
  }

  /// A text, or two, that stand in no file, as a row.
  ///
  /// - Throws: ``TrainingError`` if the task wants more fields, or a text cannot stand in its template.
  package func row(text: String, pair: String?) throws -> TokenizedRow {
    let wantsPair = data.template.map { $0.value.asks(for: "text_pair") } ?? (data.textPair != nil)
    if wantsPair, pair == nil {
      throw TrainingError.unusable(
        "the adapter was trained on pairs of texts, and there is only one",
        help: "give the other one: --text-pair")
    }
    try tokenizer.checkPresent()
    var fields = ["text": text]
    if !reading.isLabelled { fields["text_pair"] = pair }
    let content: TokenizedRow.Content =
      if reading == .arranged {
        .fields
      } else if let template = data.template?.value {
        try inRow("--text", 1) {
          .templated(
            try tokenizer.pieces(template) { name in
              if let value = ["text": text, "text_pair": pair][name] ?? nil { return value }
              throw TrainingError.unusable(
                "the adapter's template asks for the field '\(name)' too",
                help: "give a file with this column: --input FILE")
            })
        }
      } else {
        try content(text, pair)
      }
    return TokenizedRow(line: 1, fields: fields, content: content)
  }

  private func inRow<Result>(_ path: String, _ line: Int, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as TemplateError {
      throw TrainingError.row(path: path == "-" ? "standard input" : path, line: line, reason: error.reason)
    }
  }
}

extension DataSpec {
  /// The column that a field of the template is in: what the run says of it, else the one of its name.
  func column(of field: String) -> String {
    switch field {
    case "text": text.value
    case "text_pair": textPair?.value ?? field
    default: fields[field]?.value ?? field
    }
  }

  /// The token ids of a word in the place of the template's mask; nil without one.
  func wordAtMask(_ tokenizer: any Tokenizer) -> (@Sendable (String) -> [Int32])? {
    guard let template = template?.value, template.hasMask else { return nil }
    return { tokenizer.ids(of: $0, atMaskOf: template) }
  }

  /// What keeps the template from being used with this tokenizer and this head, before any row is read.
  ///
  /// - Parameter reading: how the head reads rows.
  /// - Throws: ``TrainingError/unusable(_:help:)`` with the place in the run file.
  package func checkTemplate(
    _ tokenizer: any Tokenizer, model: String, head: String, reading: RowReading
  ) throws(TrainingError) {
    guard let template else { return }
    let place = template.place
    if !reading.isLabelled {
      throw .unusable(
        "\(place): the head '\(head)' lays out rows itself, so they cannot go through a template",
        help: "remove the template, or take another head")
    }
    for (name, asked, token) in [
      ("mask", template.value.hasMask, tokenizer.specialTokens.mask),
      ("separator", template.value.hasSeparator, tokenizer.specialTokens.separator),
    ] where asked && token == nil {
      throw .unusable(
        "\(place): the template has {\(name)}, but the tokenizer of '\(model)' has no \(name) token",
        help: "take {\(name)} out of the template, or another model")
    }
    let shown = template.value.fields.first { template.value.asks(for: $0) && column(of: $0) == label.value }
    if let shown {
      throw .unusable(
        "\(place): the template shows the label to the model: {\(shown)} is the column '\(label.value)'",
        help: "name the columns of the text only")
    }
  }

  /// `{prompt}` stands for all virtual tokens of the adapter, so there have to be some. Whether as many rows come as
  /// the template has places shows in the first forward pass.
  ///
  /// - Throws: ``TrainingError/unusable(_:help:)`` with the place in the run file.
  func checkTemplate(adapter: String, virtualTokens: Int) throws(TrainingError) {
    guard let template, template.value.virtualTokens == nil, virtualTokens == 0 else { return }
    throw .unusable(
      "\(template.place): the template has {prompt}, but the adapter '\(adapter)' has no virtual tokens among the "
        + "words",
      help: "take {prompt} out of the template, or an adapter that has 'placement: template', as p-tuning has"
    )
  }
}

extension SpecialTokens {
  /// The id of a token that a component asks for.
  subscript(kind: Base.SpecialToken) -> Int32? {
    switch kind {
    case .classification: classification
    case .separator: separator
    case .padding: padding
    case .mask: mask
    case .unknown: unknown
    case .beginning: beginning
    case .end: end
    }
  }
}
