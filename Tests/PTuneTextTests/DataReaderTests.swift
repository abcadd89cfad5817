import Testing

@testable import PTuneText

@Suite("Data readers")
struct DataReaderTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    var header: Bool?
    /// The column of the words in CoNLL columns.
    var words = "text"
    let columns: [String]
    /// Line and values of each row.
    let rows: [(Int, [String?])]
    var testDescription: String { "\(name): \(text.debugDescription)" }
  }

  static let cases = [
    Case(
      name: "a.tsv", text: "sentence\tlabel\nit 's \"good\tyes\nbad\t0\n", columns: ["sentence", "label"],
      rows: [(2, ["it 's \"good", "yes"]), (3, ["bad", "0"])]),
    Case(
      name: "a.tsv", text: "\u{FEFF}a\tb\r\n1\t\r\n\r\n3\t4", columns: ["a", "b"],
      rows: [(2, ["1", ""]), (4, ["3", "4"])]),
    Case(name: "a.TSV", text: "x\ty\n", header: false, columns: ["1", "2"], rows: [(1, ["x", "y"])]),
    Case(
      name: "a.txt", text: "text\none\n\nthree\n", columns: ["text"],
      rows: [(2, ["one"]), (3, [""]), (4, ["three"])]),
    Case(
      name: "a.csv", text: "id,text\n1,\"a, \"\"b\"\"\nc\"\n\n2,d \"e\" f\n", columns: ["id", "text"],
      rows: [(2, ["1", "a, \"b\"\nc"]), (5, ["2", "d \"e\" f"])]),
    Case(
      name: "a.csv", text: "\u{FEFF}\"a\",\"b\"\r\n\"1\r\n2\",\"\"\r\n,3\r\n", columns: ["a", "b"],
      rows: [(2, ["1\r\n2", ""]), (4, ["", "3"])]),
    // What a spreadsheet leaves behind: blanks around names, rows of separators, blanks of other scripts.
    Case(
      name: "a.csv", text: "text , label\u{A0},\r\n a,b ,\r\n,,\r\n , \t,\u{A0}\r\nc,,\r\n,,\r\n",
      columns: ["text", "label", ""], rows: [(2, [" a", "b ", ""]), (5, ["c", "", ""])]),
    Case(
      name: "a.tsv", text: " text\tlabel \na\tb\n\t\n \t \n", columns: ["text", "label"],
      rows: [(2, ["a", "b"])]),
    Case(
      name: "d.conll", text: "EU\tB-ORG \nsays \tO\n",
      columns: ["1", "2", "text", "words", "label"],
      rows: [
        (
          1,
          [
            "[\"EU\", \"says\"]", "[\"B-ORG\", \"O\"]", "EU says", "[\"EU\", \"says\"]",
            "[\"B-ORG\", \"O\"]",
          ]
        )
      ]),
    Case(name: "a.csv", text: "a,b\n\"\"\"\",\"x\"", columns: ["a", "b"], rows: [(2, ["\"", "x"])]),
    Case(name: "a.csv", text: ",text\n0,x\n", columns: ["", "text"], rows: [(2, ["0", "x"])]),
    Case(
      name: "a.jsonl",
      text:
        "{\"text\": \"a\\n\\u00e9\", \"n\": 1.50, \"ok\": true, \"none\": null, \"ids\": [1, {\"b\": 2}]}\n\n \n",
      columns: ["text", "n", "ok", "none", "ids"],
      rows: [(1, ["a\né", "1.50", "true", nil, "[1, {\"b\": 2}]"])]),
    Case(name: "a.json", text: "{\"a\":1}\r\n{\"b\":\"2\"}", columns: ["a"], rows: [(1, ["1"]), (2, ["2"])]),
    Case(
      name: "a.conll",
      text:
        "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nsays \"\"  O O \r\n\n \n-DOCSTART- -X- O O\nÜber X Y O\nund A B O",
      columns: ["1", "2", "3", "4", "text", "words", "label"],
      rows: [
        (
          3,
          [
            "[\"EU\", \"says\"]", "[\"NNP\", \"\\\"\\\"\"]", "[\"B-NP\", \"O\"]", "[\"B-ORG\", \"O\"]",
            "EU says", "[\"EU\", \"says\"]", "[\"B-ORG\", \"O\"]",
          ]
        ),
        (
          8,
          [
            "[\"Über\", \"und\"]", "[\"X\", \"A\"]", "[\"Y\", \"B\"]", "[\"O\", \"O\"]",
            "Über und", "[\"Über\", \"und\"]", "[\"O\", \"O\"]",
          ]
        ),
      ]),
    Case(
      name: "b.conll", text: "id\tform\ttag\n1\tNew York\tB-LOC\n2\t\tO\n", header: true, words: "form",
      columns: ["id", "form", "tag", "words", "label"],
      rows: [
        (
          2,
          [
            "[\"1\", \"2\"]", "New York ", "[\"B-LOC\", \"O\"]", "[\"New York\", \"\"]",
            "[\"B-LOC\", \"O\"]",
          ]
        )
      ]),
    Case(
      name: "c.conll", text: "one\n\ntwo\n", columns: ["1", "text", "words"],
      rows: [(1, ["[\"one\"]", "one", "[\"one\"]"]), (3, ["[\"two\"]", "two", "[\"two\"]"])]),
  ]

  @Test("rows, their lines and their columns", arguments: cases)
  func rows(_ example: Case) throws {
    let folder = try Folder()
    let path = try folder.file(example.name, Array(example.text.utf8))
    let table = try Table(path: path, header: example.header, text: example.words)
    #expect(table.columns.names == example.columns)
    #expect(table.rows.map(\.line) == example.rows.map(\.0))
    #expect(table.rows.map(\.values) == example.rows.map(\.1))
  }

  struct Failure: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let message: String
    var testDescription: String { message }

    init(_ name: String, _ text: String, bytes: [UInt8] = [], _ message: String) {
      (self.name, self.bytes, self.message) = (name, Array(text.utf8) + bytes, message)
    }
  }

  private static let columnsHelp =
    "\ncolumns are separated by one tab (.tsv, no quoting), one comma (.csv, RFC 4180) or blanks (.conll)"
  private static let wholeHelp = "\ncheck that the file was written whole"
  private static let quoteHelp = "\ninside a quoted field write a quote as two quotes: \"\""

  static let failures = [
    Failure(
      "a.csv", "text,label\ra,b\r",
      "a.csv: its lines end with a carriage return alone\nconvert it: tr '\\r' '\\n' < FILE > NEW"),
    Failure("a.tsv", "a\tb\n1\t2\n1\n", "a.tsv:3: 1 column, but the first line has 2" + columnsHelp),
    Failure(
      "a.conll", "EU B-ORG\nsays\n", "a.conll:2: 1 column, but the first line has 2" + columnsHelp),
    Failure(
      "a.conll", "EU B-ORG\n\nhe says O\n", "a.conll:3: 3 columns, but the first line has 2" + columnsHelp),
    Failure("a.csv", "a,b\n1,\"2\n3\",4\n", "a.csv:2: 3 columns, but the first line has 2" + columnsHelp),
    Failure(
      "a.csv", "a,b\n1,2\n3,\"4\n5,6\n",
      "a.csv:3: the quoted field that starts here is never closed" + quoteHelp),
    Failure("a.csv", "a,b\n\"1\n2\"x,3\n", "a.csv:3: text follows the closing quote of a field" + quoteHelp),
    Failure("a.csv", "a,b,a\n1,2,3\n", "a.csv: two columns are named \"a\"\nrename one of them"),
    Failure("a.jsonl", "{\"a\":1,\"a\":2}\n", "a.jsonl: two columns are named \"a\"\nrename one of them"),
    Failure("a.tsv", "", "a.tsv is empty" + wholeHelp),
    Failure("a.jsonl", "\u{FEFF}", "a.jsonl is empty" + wholeHelp),
    Failure("a.tsv", "a\tb\n", "a.tsv has a header but no rows" + wholeHelp),
    Failure("a.csv", "a,b\n\n\n", "a.csv has a header but no rows" + wholeHelp),
    Failure(
      "a.tsv", "a\nb", bytes: [0xC3, 0x28],
      "a.tsv:2: byte 2 is not valid UTF-8\nconvert the file to UTF-8: iconv -f ENCODING -t UTF-8 FILE > NEW"),
    Failure(
      "a.csv", "a\n\n01234567", bytes: [0xED, 0xA0, 0x80],
      "a.csv:3: byte 9 is not valid UTF-8\nconvert the file to UTF-8: iconv -f ENCODING -t UTF-8 FILE > NEW"),
    Failure(
      "a.tsv", "a\n1\n2\u{0}\n",
      "a.tsv:3: byte 2 is NUL\ntext files hold no NUL bytes; is this a binary or a damaged file?"),
    Failure(
      "a.tsv", "", bytes: [0xFF, 0xFE, 0x61, 0x00],
      "a.tsv is UTF-16 text, not UTF-8\nconvert it: iconv -f UTF-16 -t UTF-8 FILE > NEW"),
    Failure(
      "a.jsonl", "{\"a\":1}\n{\"a\":1,}\n",
      "a.jsonl:2:8: expected a key in quotes but found '}'\nthe file may be truncated; fetch or write it again"
    ),
    Failure(
      "a.jsonl", "{\"a\":1} x\n",
      "a.jsonl:1:9: expected the end of the text but found 'x'\nthe file may be truncated; fetch or write it again"
    ),
    Failure(
      "a.json", "[1]\n",
      "a.json:1: the line is not a JSON object\nwrite one object a line, such as {\"text\": \"…\", \"label\": \"…\"}"
    ),
    Failure(
      "a.parquet", "PAR1",
      "cannot tell the format of a.parquet from its name\n"
        + "name the file .tsv, .txt, .csv, .jsonl, .json or .conll, or say which format it has: --format, or "
        + "format: in a run file"),
  ]

  @Test("what is wrong in a data file is named with its line", arguments: failures)
  func malformed(_ example: Failure) throws {
    let folder = try Folder()
    let path = try folder.file(example.name, example.bytes)
    #expect(try failure { try Table(path: path) }.shown(folder) == example.message)
  }

  @Test("files that cannot be read say why")
  func unreadable() throws {
    let folder = try Folder()
    let missing = try failure { try Table(path: "\(folder.path)/none.tsv") }
    #expect(
      missing.shown(folder)
        == "cannot read none.tsv: No such file or directory\ncheck the path and its permissions")
    let directory = try failure { try Table(path: folder.path, format: .csv) }
    #expect(
      directory.shown(folder) == "FOLDER is a folder, not a file\n"
        + "name a file: .tsv, .csv, .jsonl or another one that --format, or format:, says")
    #expect(
      try failure { try Table(path: "-") }.description
        == "cannot tell the format of standard input from its name")
  }

  @Test("a missing column lists those there are and suggests the nearest")
  func missingColumn() throws {
    let folder = try Folder()
    let table = try Table(path: try folder.file("a.tsv", Array("sentence\tlabel\nx\t1\n".utf8)))
    #expect(try table.columns.require("label") == 1)
    #expect(
      try failure { try table.columns.require("sentense") }.shown(folder)
        == "a.tsv: no column \"sentense\"; it has \"sentence\", \"label\"\ndid you mean \"sentence\"?")
    #expect(
      try failure { try table.columns.require("text") }.shown(folder)
        == "a.tsv: no column \"text\"; it has \"sentence\", \"label\"\n"
        + "name one of these columns, or add the column to the file")
    let commas = try Table(path: try folder.file("b.tsv", Array("text,label\nx,1\n".utf8)))
    #expect(
      try failure { try commas.columns.require("text") }.shown(folder)
        == "b.tsv: no column \"text\"; it has \"text,label\"\n"
        + "the first line is one column; does the file's format (tab or comma) match its name?")
  }

  @Test("a row of JSON lines without a value is named with its line")
  func missingValue() throws {
    let folder = try Folder()
    let lines = "{\"text\":\"a\",\"label\":1}\n{\"text\":\"b\",\"label\":null}\n{\"text\":\"c\"}\n"
    let table = try Table(path: try folder.file("a.jsonl", Array(lines.utf8)))
    #expect(try table.rows[0].value("label") == "1")
    #expect(table.rows[1]["label"] == nil && table.rows[1]["other"] == nil)
    #expect(
      try failure { try table.rows[1].value("label") }.shown(folder)
        == "a.jsonl:2: \"label\" is null\ngive the row a value, or take it out")
    #expect(
      try failure { try table.rows[2].value("label") }.shown(folder)
        == "a.jsonl:3: no column \"label\"; it has \"text\"\n"
        + "name one of these columns, or add the column to the file")
  }

  @Test("a list where a text should be is named with its line, and words that look like one are a text")
  func notText() throws {
    let folder = try Folder()
    let lines = #"{"text": ["a", "b"], "n": 5}"# + "\n" + #"{"text": "[\"a\", \"b\"]"}"# + "\n"
    let table = try Table(path: try folder.file("a.jsonl", Array(lines.utf8)))
    #expect(
      try failure { try table.rows[0].text("text") }.shown(folder)
        == "a.jsonl:1: \"text\" is a list or an object, not a text\n"
        + "name the column of the text, or write one text there")
    #expect(try table.rows[0].text("n") == "5")
    #expect(try table.rows[1].text("text") == "[\"a\", \"b\"]")
    #expect(try table.rows[1].text("n") == nil)
  }

  @Test("an explicit format goes before the extension")
  func explicitFormat() throws {
    let folder = try Folder()
    let table = try Table(path: try folder.file("data", Array("a,b\n1,2\n".utf8)), format: .csv)
    #expect(table.rows[0]["b"] == "2")
  }

  @Test("lines cross the borders of the chunks they are read in", arguments: [1, 2, 3, 5, 64])
  func chunks(size: Int) throws {
    let folder = try Folder()
    let expected = ["", "a", "é😀", String(repeating: "x", count: 100), "", "end"]
    let path = try folder.file("a.txt", Array(("\u{FEFF}" + expected.joined(separator: "\n")).utf8))
    let lines = try LineReader(path: path, chunk: size)
    var (read, numbers) = ([String](), [Int]())
    while let line = try lines.next() {
      read.append(line.text)
      numbers.append(line.number)
    }
    #expect(read == expected && numbers == Array(1...6))
  }

  @Test("a line or a quoted field that never ends does not fill the memory")
  func limits() throws {
    let folder = try Folder()
    let long = try folder.file("a.txt", Array("a\n".utf8) + [UInt8](repeating: 0x61, count: 100))
    let lines = try LineReader(path: long, limit: 50, chunk: 16)
    _ = try lines.next()
    #expect(
      try failure { try lines.next() }.shown(folder)
        == "a.txt:2: the line is longer than 50 bytes\nis this a text file with one example a line?")
    let quoted = try folder.file(
      "a.csv", Array("a\n\"".utf8) + Array(String(repeating: "xy\n", count: 100).utf8))
    let records = CSVRecords(lines: try LineReader(path: quoted, limit: 50, chunk: 16))
    _ = try records.next()
    #expect(
      try failure { try records.next() }.description == quoted
        + ":2: the quoted field that starts here is never closed")
  }
}
