import Testing

@testable import PTuneText

@Suite("SQuAD files") struct SQuADReaderTests {
  private func table(_ text: String, _ folder: Folder) throws -> Table {
    try Table(path: try folder.file("a.json", Array(text.utf8)), format: .squad)
  }

  @Test("each question is a row, with its answers as Hugging Face exports them")
  func rows() throws {
    let text = """
      {"version": "v2.0", "data": [
        {"title": "T", "paragraphs": []},
        {"title": "Ü", "paragraphs": [
          {"context": "é a b", "qas": [
            {"id": "q1", "question": "which?", "is_impossible": false,
             "answers": [{"text": "a", "answer_start": 2}, {"text": "a b", "answer_start": 2}]},
            {"id": 2, "question": "none?", "is_impossible": true, "answers": [],
             "plausible_answers": [{"text": "b", "answer_start": 4}]}]},
          {"context": "c", "qas": []},
          {"context": "d", "qas": [{"question": "unknown?"}]}]}]}
      """
    let table = try table(text, Folder())
    #expect(table.columns.names == ["id", "title", "question", "context", "label"])
    #expect(table.rows.map(\.line) == [1, 2, 3])
    #expect(
      table.rows.map(\.values) == [
        ["q1", "Ü", "which?", "é a b", #"{"text": ["a", "a b"], "answer_start": [2, 2]}"#],
        ["2", "Ü", "none?", "é a b", #"{"text": [], "answer_start": []}"#],
        [nil, "Ü", "unknown?", "d", nil],
      ])
  }

  @Test(
    "what is wrong is named with its place",
    arguments: [
      ("{\"data\": [}", "a.json:1:11: "),
      ("[]", "a.json: data should be a list, as in a SQuAD file"),
      ("{\"data\": [{\"title\": \"t\"}]}", "a.json: data[0].paragraphs should be a list, as in a SQuAD file"),
      ("{\"data\": [{\"paragraphs\": [{}]}]}", "a.json: data[0].paragraphs[0].context should be a text"),
      (
        "{\"data\": [{\"paragraphs\": [{\"context\": \"\", \"qas\": [{}]}]}]}",
        "a.json: data[0].paragraphs[0].qas[0].question should be a text"
      ),
      (
        #"{"data": [{"paragraphs": [{"context": "", "qas": [{"question": "", "answers": [{"text": "a"}]}]}]}]}"#,
        "a.json: data[0].paragraphs[0].qas[0].answers[0].answer_start should be a whole number"
      ),
      ("{\"data\": []}", "a.json: data should be a list with at least one question"),
    ])
  func malformed(text: String, message: String) throws {
    let folder = try Folder()
    let shown = try failure { try table(text, folder) }.shown(folder)
    #expect(shown.hasPrefix(message), "\(shown)")
  }
}
