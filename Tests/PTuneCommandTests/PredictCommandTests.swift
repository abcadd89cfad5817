import Foundation
import PTuneFormats
import Testing

@Suite("ptune predict") struct PredictCommandTests {
  private func trained() throws -> Desk {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml", "--max-steps", "2", "--quiet", "--no-report")
    try #require(result.status == 0, "\(result.errors)")
    return desk
  }

  @Test("several texts are predicted in their order, and a second text is for pairs")
  func texts() throws {
    let desk = try trained()
    let both = try desk.ptune(
      "predict", "--adapter", "out/adapter", "--text", "a good film", "--text", "a dull plot")
    #expect(both.status == 0)
    let lines = both.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 2)
    for (text, line) in zip(["a good film", "a dull plot"], lines) {
      #expect(try desk.ptune("predict", "--adapter", "out/adapter", "--text", text).output == line + "\n")
    }
    let pair = try desk.ptune("predict", "--adapter", "out/adapter", "--text", "a", "--text-pair", "b")
    #expect(pair.status == 1)
    #expect(
      pair.errors == """
        error: the adapter was trained on single texts, and there are two
        help: leave --text-pair out

        """)
  }

  @Test(
    "rows are written as CSV or TSV by the name of the output, with what was put in where that is asked for")
  func tables() throws {
    let desk = try trained()
    try desk.write("rows.csv", "id,sentence\n1,\"good, great film\"\n2,dull plot\n")
    func predict(_ arguments: String...) throws -> String {
      let result = try desk.ptune(["predict", "--adapter", "out/adapter", "--input", "rows.csv"] + arguments)
      #expect(result.status == 0, "\(result.errors)")
      return result.output
    }
    _ = try predict("--output", "out.csv", "--echo")
    let lines = try desk.text("out.csv").split(separator: "\n").map(String.init)
    #expect(lines.count == 3)
    #expect(lines[0] == "id,task,text,label,probability,probabilities")
    #expect(lines[1].hasPrefix("1,tone,\"good, great film\","))
    let tsv = try predict("--output-format", "tsv").split(separator: "\n").map(String.init)
    #expect(tsv[0] == "id\tlabel\tprobability\tprobabilities")
    #expect(tsv[1].hasPrefix("1\t"))
    let first = try JSONValue.parse(String(try predict("--echo").split(separator: "\n")[0]))
    #expect(first["text"] == "good, great film" && first["task"] == "tone" && first["id"] == "1")
  }

  @Test("ids keep their type, and plain text on standard input says what to do")
  func standardInput() throws {
    let desk = try trained()
    let arguments = ["predict", "--adapter", "out/adapter", "--input", "-"]
    let rows = "{\"id\": 7, \"sentence\": \"a film\"}\n{\"id\": \"7\", \"sentence\": \"a film\"}\n"
    let result = try desk.ptune(arguments, input: rows)
    #expect(result.output.split(separator: "\n").map { $0.prefix(9) } == ["{\"id\": 7,", "{\"id\": \"7"])
    let plain = try desk.ptune(arguments, input: "a good film\n")
    #expect(plain.status == 1)
    #expect(plain.errors.contains("--format text"))
    #expect(try desk.ptune(arguments + ["--format", "text"], input: "a good film\n").status == 0)
  }

  @Test("each line of standard input is answered before the next one is there, where that is asked for")
  func stream() throws {
    let desk = try trained()
    let process = try desk.process(
      try Desk.command(),
      ["predict", "--adapter", "out/adapter", "--input", "-", "--batch-size", "1", "--threads", "1"])
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    defer { process.waitUntilExit() }
    for number in 1...3 {
      input.fileHandleForWriting.write(Data("{\"id\": \(number), \"sentence\": \"a film\"}\n".utf8))
      let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
      #expect(line.hasPrefix("{\"id\": \(number),"))
    }
    try input.fileHandleForWriting.close()
  }

  @Test("a text that is cut is said")
  func cut() throws {
    let desk = try trained()
    let long = Array(repeating: "film", count: 300).joined(separator: " ")
    let result = try desk.ptune("predict", "--adapter", "out/adapter", "--text", long)
    #expect(result.errors.contains("what does not fit was left out"))
  }
}
