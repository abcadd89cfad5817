import Foundation
import Testing

@testable import PTuneCommand
@testable import PTuneTerminal

@Suite("On a terminal") struct TerminalTests {
  @Test("numbers are written as people read them")
  func numbers() {
    #expect(
      [0, 999, 1000, 22_713_216, -1234].map(NumberText.grouped) == [
        "0", "999", "1,000", "22,713,216", "-1,234",
      ])
    #expect(NumberText.fixed(0.99996, 4) == "1.0000")
    #expect(NumberText.fixed(-0.00001, 4) == "0.0000")
    #expect(NumberText.fixed(-1.05, 1) == "-1.1")
    #expect(NumberText.fixed(12.5, 0) == "13")
    #expect(NumberText.fixed(.nan, 2) == "nan")
    #expect([0.5, 0.0041, 0.00001].map(NumberText.percent) == ["50.0 %", "0.41 %", "0.0010 %"])
    #expect([0, 65, 3_661, .infinity].map(NumberText.clock) == ["0:00", "1:05", "1:01:01", "?"])
  }

  @Test("words are quoted where a shell would take them apart")
  func words() {
    #expect(
      ["run.yaml", "a b", "it's", "", "key=[a, b]", "müll"].map(ShellText.quoted)
        == ["run.yaml", "'a b'", "'it'\\''s'", "''", "'key=[a, b]'", "müll"])
  }

  @Test("a line of progress is drawn over, fits the width and leaves no trace", arguments: [40, 120])
  func progress(columns: UInt16) throws {
    let desk = try Desk()
    let written = try onTerminal(desk, columns: columns, ["train", "run.yaml", "--max-steps", "6"])
    #expect(!written.contains("\u{1B}"))
    #expect(written.contains("\r[==="))
    let lines = written.replacingOccurrences(of: "\r\n", with: "\n").split(
      separator: "\n", omittingEmptySubsequences: false)
    let drawn = lines.flatMap { $0.split(separator: "\r") }.filter { $0.hasPrefix("[") }
    #expect(!drawn.isEmpty)
    #expect(drawn.allSatisfy { $0.count < columns })
    // What stays of a line is what was written last in each column.
    let left = lines.map { line in
      line.split(separator: "\r", omittingEmptySubsequences: false).reduce(into: [Character]()) {
        shown, part in
        for (column, character) in part.enumerated() {
          if column < shown.count { shown[column] = character } else { shown.append(character) }
        }
      }
    }
    let texts = left.map { String($0).trimmingCharacters(in: .whitespaces) }
    #expect(texts.contains { $0.hasPrefix("step 6  validation  accuracy ") })
    #expect(!texts.contains { $0.contains("examples/s") || $0.hasPrefix("[") || $0.hasPrefix("evaluating") })
  }

  @Test("the tables of a comparison fit the width; a column that does not stands in the next one")
  func comparison() throws {
    let desk = try Desk()
    let written = try onTerminal(
      desk, columns: 60,
      ["compare", "run.yaml", "--adapters", "prompt-tuning,prefix-tuning:form=hidden", "--max-steps", "1"])
    let lines = written.replacingOccurrences(of: "\r\n", with: "\n").split(
      separator: "\n", omittingEmptySubsequences: false
    ).map { $0.split(separator: "\r").last.map(String.init) ?? "" }
    let start = try #require(lines.firstIndex { $0.contains("METHOD") })
    let end = try #require(lines.firstIndex { $0.hasPrefix("Measured on") })
    let table = lines[start..<end].map {
      $0.replacingOccurrences(of: "\u{1B}\\[[0-9]+m", with: "", options: .regularExpression)
    }
    #expect(table.allSatisfy { $0.count <= 60 }, "\(table)")
    #expect(table.count { $0.hasPrefix("METHOD") } > 1)
    for header in [
      "TRAINABLE", "ACCURACY", "RATE", "SECONDS", "EXAMPLES/S", "MS/TEXT", "TEXTS/S", "PEAK MB", "FILE KB",
    ] {
      #expect(table.count { $0.contains(header) } == 1)
    }
  }

  @Test(
    "tables fit the width of the terminal, and nothing is cut off where there is none",
    arguments: [60, 80, 200])
  func tables(columns: UInt16) throws {
    let desk = try Desk()
    let trained = try desk.ptune(
      "train", "run.yaml", "--quiet", "--no-report", "--max-steps", "1", "--adapter", "prompt-tuning")
    try #require(trained.status == 0, "\(trained.errors)")
    for arguments in [
      ["list-plugins"], ["describe", "prompt-pool"],
      ["eval", "--adapter", "out/adapter", "--data", "dev.tsv"],
      ["inspect", "out/adapter", "--text", "the film was good and the plot was not"],
    ] {
      let written = try onTerminal(desk, columns: columns, arguments)
      let lines = written.replacingOccurrences(of: "\r\n", with: "\n").split(separator: "\n")
      // Titles with paths and paragraphs of an author stand in front of and behind tables.
      let start = try #require(
        lines.firstIndex {
          $0.hasPrefix("KIND ") || $0.contains("METRIC") || $0.hasPrefix("HYPER")
            || $0.hasPrefix("pool_size: ") || $0.hasPrefix("adapter ")
        }, "\(arguments): \(written)")
      let end = lines[start...].firstIndex { $0.hasPrefix("In a run file") } ?? lines.endIndex
      #expect(
        lines[start..<end].allSatisfy { displayWidth(String($0)) <= columns }, "\(arguments[0]) \(columns)")
      if arguments[0] == "list-plugins" {
        #expect(written.contains("FILE") == (columns == 200))
        let words = Set(written.split(whereSeparator: \.isWhitespace))
        #expect(
          Set("prompt-pool a pool of prompts from which each input gets".split(separator: " ")).isSubset(
            of: words))
      }
    }
    #expect(
      try desk.ptune("list-plugins").output.split(separator: "\n").allSatisfy {
        $0.contains("libptune_") || $0.hasPrefix("KIND")
      })
  }

  @Test("generated text comes as it is made, and is what a pipe gets")
  func generation() throws {
    let desk = try Desk()
    let arguments = ["generate", "--model", Desk.fixtures + "/tiny-gpt2", "--prompt", "the film was"]
    let written = try onTerminal(desk, columns: 80, arguments)
    let piped = try desk.ptune(arguments)
    #expect(written.replacingOccurrences(of: "\r\n", with: "\n") == piped.output)
    #expect(piped.output.count > 20)
  }

  /// What `ptune` writes to a terminal of this width.
  func onTerminal(_ desk: Desk, columns: UInt16, _ arguments: [String]) throws -> String {
    // Looked up by name: the header has it only on some systems, the library on all.
    typealias OpenTerminal =
      @convention(c) (
        UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<CChar>?,
        UnsafeRawPointer?,
        UnsafePointer<winsize>?
      ) -> Int32
    let openTerminal = unsafeBitCast(
      try #require(dlsym(dlopen(nil, RTLD_NOW), "openpty")), to: OpenTerminal.self)
    var (terminal, end): (Int32, Int32) = (-1, -1)
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    try #require(openTerminal(&terminal, &end, nil, nil, &size) == 0)
    defer { close(terminal) }
    // Other tests start programs too, which must not keep this end open.
    for descriptor in [terminal, end] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    let process = try desk.process(try Desk.command(), arguments)
    process.environment?["NO_COLOR"] = "1"
    process.environment?["TERM"] = "xterm"
    process.standardOutput = FileHandle(fileDescriptor: end, closeOnDealloc: false)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    close(end)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    // The last one at the other end hangs up, which is an error here; a signal that comes in between is none.
    while case let count = read(terminal, &buffer, buffer.count), count > 0 || errno == EINTR {
      bytes += buffer[..<max(0, count)]
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: bytes, as: UTF8.self)
  }
}
