import PTuneFormats

/// Rows of a SQuAD file, 1.1 or 2.0 (Rajpurkar et al. 2016, 2018): a JSON document with `data[].paragraphs[].qas[]`.
///
/// A row is a question: `id`, `title`, `question`, `context`, and as `label` its answers as Hugging Face exports them,
/// `{"text": […], "answer_start": […]}`, with empty lists for a question without an answer and null where the file has
/// no answers. Its line is the number of the question in the file.
struct SQuADParser: RowParser {
  private let path: String
  private let columns: Columns
  private var articles: ArraySlice<(offset: Int, element: JSONValue)>
  private var paragraphs: ArraySlice<(offset: Int, element: JSONValue)> = []
  private var questions: ArraySlice<(offset: Int, element: JSONValue)> = []
  private var article = (place: "", title: String?.none)
  private var paragraph = (place: "", context: "")
  private var count = 0

  init(path: String) throws(TextError) {
    self.path = path
    columns = try Columns(path: path, names: ["id", "title", "question", "context", "label"])
    let bytes = try ByteFile.contents(path, limit: 1 << 31)
    let document = bytes.withUnsafeBytes { bytes in
      Result<JSONValue, TextError> { () throws(TextError) in
        do throws(JSONError) {
          return try JSONValue.parse(bytes: bytes)
        } catch {
          throw TextError(error, path: path, bytes: bytes)
        }
      }
    }
    articles = try Self.list(try document.get()["data"], path, "data")
  }

  mutating func next() throws(TextError) -> Row? {
    while questions.isEmpty {
      while paragraphs.isEmpty {
        guard let (index, next) = articles.popFirst() else {
          if count > 0 { return nil }
          throw .invalidValue(path: path, key: "data", expected: "a list with at least one question")
        }
        article = ("data[\(index)]", next["title"]?.stringValue)
        paragraphs = try Self.list(next["paragraphs"], path, "\(article.place).paragraphs")
      }
      guard let (index, next) = paragraphs.popFirst() else { continue }
      let place = "\(article.place).paragraphs[\(index)]"
      paragraph = (place, try text(next["context"], "\(place).context"))
      questions = try Self.list(next["qas"], path, "\(place).qas")
    }
    guard let (index, question) = questions.popFirst() else { return nil }
    let place = "\(paragraph.place).qas[\(index)]"
    count += 1
    return Row(
      line: count, columns: columns,
      values: [
        question["id"].flatMap { $0.stringValue ?? $0.text(.line) }, article.title,
        try text(question["question"], "\(place).question"), paragraph.context, try label(question, place),
      ])
  }

  private func label(_ question: JSONValue, _ place: String) throws(TextError) -> String? {
    guard let given = question["answers"], given != .null else { return nil }
    var (texts, places) = ([JSONValue](), [JSONValue]())
    // What SQuAD 2.0 keeps there otherwise are plausible answers, not right ones.
    if question["is_impossible"]?.boolValue != true {
      for (index, answer) in try Self.list(given, path, "\(place).answers") {
        let place = "\(place).answers[\(index)]"
        texts.append(.string(try text(answer["text"], "\(place).text")))
        guard let start = answer["answer_start"]?.intValue else {
          throw .invalidValue(path: path, key: "\(place).answer_start", expected: "a whole number")
        }
        places.append(.int(start))
      }
    }
    let label: JSONValue = ["text": .array(texts), "answer_start": .array(places)]
    return label.text(.line)
  }

  private func text(_ value: JSONValue?, _ place: String) throws(TextError) -> String {
    guard let text = value?.stringValue else {
      throw .invalidValue(path: path, key: place, expected: "a text")
    }
    return text
  }

  private static func list(
    _ value: JSONValue?, _ path: String, _ place: String
  ) throws(TextError) -> ArraySlice<(offset: Int, element: JSONValue)> {
    guard let list = value?.arrayValue else {
      throw .invalidValue(path: path, key: place, expected: "a list, as in a SQuAD file")
    }
    return Array(list.enumerated())[...]
  }
}
