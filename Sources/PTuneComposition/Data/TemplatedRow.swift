import PTune
import PTuneText

extension RowSource {
  /// A row's fields in the task's template.
  ///
  /// - Parameter text: the row's text, if it has one.
  /// - Throws: `TextError` for a field that the row does not have, ``DataError/row(path:line:reason:)`` for one
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
  /// - Throws: ``DataError`` if the task wants more fields, or a text cannot stand in its template.
  package func row(text: String, pair: String?) throws -> TokenizedRow {
    let wantsPair = data.template.map { $0.value.asks(for: "text_pair") } ?? (data.textPair != nil)
    if wantsPair, pair == nil {
      throw DataError.noPair
    }
    if pair != nil, !wantsPair, reading == .labelledText {
      throw DataError.needlessPair
    }
    try tokenizer.checkPresent()
    var fields = ["text": text]
    if !reading.isWholeText { fields["text_pair"] = pair }
    let content: TokenizedRow.Content =
      if reading == .arranged {
        .fields
      } else if let template = data.template?.value {
        try inRow("--text", 1) {
          .templated(
            try tokenizer.pieces(template) { name in
              if let value = ["text": text, "text_pair": pair][name] ?? nil { return value }
              throw DataError.noField(name)
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
      throw DataError.row(path: InputPath.shown(path), line: line, reason: error.reason)
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
  /// - Throws: ``DataError/template(_:_:)`` with the place in the run file.
  package func checkTemplate(
    _ tokenizer: any Tokenizer, model: String, head: String, reading: RowReading
  ) throws(DataError) {
    guard let template else { return }
    let place = template.place
    if !reading.isWholeText {
      throw .template(place, .head(head))
    }
    for (name, asked, token) in [
      ("mask", template.value.hasMask, tokenizer.specialTokens.mask),
      ("separator", template.value.hasSeparator, tokenizer.specialTokens.separator),
    ] where asked && token == nil {
      throw .template(place, .token(name, model: model))
    }
    let shown = template.value.fields.first { template.value.asks(for: $0) && column(of: $0) == label.value }
    if let shown {
      throw .template(place, .label(field: shown, column: label.value))
    }
  }

  /// `{prompt}` stands for all virtual tokens of the adapter, so there have to be some. Whether as many rows come as
  /// the template has places shows in the first forward pass.
  ///
  /// - Throws: ``DataError/template(_:_:)`` with the place in the run file.
  func checkTemplate(adapter: String, virtualTokens: Int) throws(DataError) {
    guard let template, template.value.virtualTokens == nil, virtualTokens == 0 else { return }
    throw .template(template.place, .noVirtualTokens(adapter: adapter))
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
