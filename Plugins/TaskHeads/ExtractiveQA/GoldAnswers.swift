import PTune

/// The right answers of a row, from its label.
struct GoldAnswers {
  /// All of them; none where the question has no answer.
  let texts: [String]
  /// The bytes of the first one in the context.
  let first: Range<Int>?

  /// Reads `{"text": […], "answer_start": […]}`, whose places count Unicode code points, as Python does.
  ///
  /// - Throws: `ComponentFailure` for a label of another form, and for an answer that is not at its place.
  init(_ example: Example, context: String) throws {
    let label = example.json("label")
    guard let texts = label?["text"]?.all(\.text), let places = label?["answer_start"]?.all(\.integer),
      texts.count == places.count
    else {
      throw ComponentFailure.badArgument(
        "the row's label is not an object like {\"text\": [\"France\"], \"answer_start\": [159]}")
    }
    self.texts = texts
    guard let text = texts.first, let place = places.first else {
      first = nil
      return
    }
    let scalars = context.unicodeScalars
    let begin =
      place < 0 ? nil : scalars.index(scalars.startIndex, offsetBy: place, limitedBy: scalars.endIndex)
    guard !text.isEmpty, let begin, context.utf8[begin...].starts(with: text.utf8) else {
      let name = example.field("id").map { "question '\($0)': " } ?? ""
      throw ComponentFailure.badArgument(
        "\(name)the answer '\(text)' is not at character \(place) of the context")
    }
    let offset = context.utf8.distance(from: context.startIndex, to: begin)
    first = offset..<offset + text.utf8.count
  }
}
