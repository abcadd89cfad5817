import PTuneFormats
import PTuneText

extension FuzzTarget {
  /// The formats of data files.
  static let texts = [
    data(.tsv, ["text\tlabel\na b\tgood\n\"c\tbad\r\n", "text\na\n\nb\n"]),
    data(.csv, ["text,label\n\"a, \"\"b\"\"\nc\",good\n", "\u{FEFF}text\na\n"]),
    data(.jsonl, ["{\"text\":\"a\",\"label\":1}\n\n{\"text\":null,\"label\":[true,{\"x\":1e5}]}\n"]),
    data(.conll, ["-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VB O\n\nPeter NNP B-PER\n"]),
    data(
      .squad,
      [
        """
        {"version":"2.0","data":[{"title":"t","paragraphs":[{"context":"a b","qas":[{"id":"1","question":"q",\
        "is_impossible":false,"answers":[{"text":"b","answer_start":2}]}]}]}]}
        """
      ]),
  ]

  private static func data(_ format: DataFormat, _ seeds: [String]) -> FuzzTarget {
    FuzzTarget(format.rawValue) {
      seeds.map { Array($0.utf8) }
    } body: { input, scratch in
      let path = try scratch.file("data", input)
      for header in [nil, true, false] {
        let reader = try RowReader(path: path, format: format, header: header)
        var line = 0
        while let row = try reader.next() {
          precondition(row.values.count == row.columns.names.count)
          precondition(row.line >= line)
          line = row.line
        }
      }
    }
  }

  static let tokenizer = FuzzTarget("tokenizer") {
    try Fixtures.files("\(Fixtures.text)/bpe", "tokenizer.json")
      + Fixtures.files("\(Fixtures.text)/wordpiece", "tokenizer.json")
  } body: { input, scratch in
    try TextCheck.check(try TokenizerLoader.load(tokenizerJSON: try scratch.file("tokenizer.json", input)))
  }

  /// vocab.txt and tokenizer_config.json, with a zero byte between them.
  static let vocabulary = FuzzTarget("vocabulary") {
    let settings = try Fixtures.bytes("\(Fixtures.text)/wordpiece/cased/tokenizer_config.json")
    let words = try Fixtures.bytes("tiny-bert/vocab.txt")
    return [words, words + [0] + settings]
  } body: { input, scratch in
    let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let settings = parts.count > 1 ? try scratch.file("tokenizer_config.json", parts[1]) : nil
    try TextCheck.check(
      try TokenizerLoader.load(
        vocabularyText: try scratch.file("vocab.txt", parts[0]), configuration: settings))
  }

  static let template = FuzzTarget("template") {
    ["{prompt:3} {text} it was {mask}.", "{prompt}{text}{sep}{text_pair}{{x}}", "{field with blanks}"]
      .map { Array($0.utf8) }
  } body: { input, _ in
    let source = String(decoding: input, as: UTF8.self)
    let template = try TextTemplate(source)
    precondition(template.source == source)
    _ = (template.fields, template.virtualTokens, template.hasSeparator)
  }
}

/// Uses a tokenizer as the package does.
enum TextCheck {
  private static let text =
    "The film [MASK] was  good, isn't it? Grüße 東京 👍🏽 12345 \u{0}\r\n\t<s> \u{301}x abcab"

  static func tokenizer(_ path: String) throws { try check(TokenizerLoader.load(path)) }

  static func check(_ tokenizer: any Tokenizer) throws {
    let size = Int32(clamping: tokenizer.vocabularySize)
    let pieces = tokenizer.pieces(text)
    let end = Int32(text.utf8.count)
    for piece in pieces {
      precondition(piece.id >= 0 && piece.id < size)
      precondition(0 <= piece.begin && piece.begin <= piece.end && piece.end <= end)
    }
    let encoding = try tokenizer.encode(text, pair: text, maximumLength: 48)
    _ = tokenizer.decode(encoding.ids)
    _ = tokenizer.decode([-1, 0, 1, size - 1, .max], skippingSpecialTokens: false)
  }
}
