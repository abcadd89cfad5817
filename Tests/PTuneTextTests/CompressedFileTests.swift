import Foundation
import PTuneFormats
import Testing

@testable import PTuneText

@Suite("Compressed and foreign data files") struct CompressedFileTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "/ptune-data-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    return "\(folder)/\(name)"
  }

  private func texts(_ path: String, format: DataFormat? = nil) throws -> [String?] {
    try Table(path: path, format: format).rows.map { $0["text"] }
  }

  /// `text\tlabel`, a row, twice, each as a member of its own.
  private static let gzip: [UInt8] =
    member(Array("text\tlabel\none\ta\n".utf8)) + member(Array("two\tb\n".utf8))

  /// A gzip member that stores its bytes as they are (RFC 1952, RFC 1951 3.2.4).
  private static func member(_ bytes: [UInt8]) -> [UInt8] {
    var checksum: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      checksum ^= UInt32(byte)
      for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    func little(_ number: UInt32, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
    }
    let count = UInt32(bytes.count)
    let start: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1]
    return start + little(count, 2) + little(~count, 2) + bytes + little(~checksum, 4) + little(count, 4)
  }

  /// A zstd frame with one raw block (RFC 8878 3.1.1).
  private static func frame(_ bytes: [UInt8]) -> [UInt8] {
    let block = UInt32(bytes.count) << 3 | 1
    return [0x28, 0xB5, 0x2F, 0xFD, 0x20, UInt8(bytes.count)]
      + (0..<3).map { UInt8(truncatingIfNeeded: block >> (8 * UInt32($0))) } + bytes
  }

  @Test("gzip and zstd are read by what a file holds, and called after what is in it")
  func transparent() throws {
    #expect(try texts(write("a.tsv.gz", Self.gzip)) == ["one", "two"])
    #expect(try texts(write("a.tsv", Self.gzip)) == ["one", "two"])
    let rows = Array(#"{"text": "three"}"#.utf8) + [0x0A]
    #expect(try texts(write("a.jsonl.zst", Self.frame(rows) + Self.frame(rows))) == ["three", "three"])
    #expect(try DataFormat(path: "b/c.CSV.GZ") == .csv)
    #expect(throws: TextError.unknownFormat(path: "a.gz")) { try DataFormat(path: "a.gz") }
  }

  @Test("a compressed file that is cut off or damaged is an error", arguments: [true, false])
  func damaged(isGzip: Bool) throws {
    let whole = isGzip ? Self.gzip : Self.frame(Array("text\none\n".utf8))
    let method = isGzip ? "gzip" : "zstd"
    let cut = try write("cut.tsv", Array(whole.dropLast(isGzip ? 9 : 2)))
    #expect(throws: TextError.compressed(path: cut, method: method, problem: .truncated)) { try texts(cut) }
    var bytes = whole
    bytes[isGzip ? 3 : 6] = 0xFF
    let broken = try write("broken.tsv", bytes)
    let error = #expect(throws: TextError.self) { try texts(broken) }
    guard case .compressed(_, method, .damaged)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test("what grows beyond all measure is refused")
  func growth() throws {
    let path = try write("bomb.tsv.gz", [])
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "head -c 100000000 /dev/zero | gzip -9 > '\(path)'"]
    try process.run()
    process.waitUntilExit()
    let error = #expect(throws: TextError.self) { try ByteFile.contents(path, limit: 1 << 30) }
    #expect(error == .compressed(path: path, method: "gzip", problem: .growth(times: Inflater.mostGrowth)))
  }

  @Test(
    "formats of other programs are named, with what to do",
    arguments: [
      ([0x50, 0x4B, 0x03, 0x04, 0, 0], ForeignFormat.excel, "CSV"),
      (Array("PAR1xx".utf8), .parquet, "read_parquet"),
      (Array("ARROW1".utf8), .arrow, "Dataset.from_file"), ([0x80, 0x04, 0x95, 0], .pickle, "run code"),
      (Array("%PDF-1.7".utf8), .pdf, "text"),
    ])
  func foreign(bytes: [UInt8], format: ForeignFormat, help: String) throws {
    let path = try write("data.jsonl", bytes)
    let error = #expect(throws: TextError.self) { try texts(path) }
    #expect(error == .foreign(path: path, format))
    #expect(error?.help?.contains(help) == true)
  }

  @Test("a folder names the files in it that can be read")
  func folders() throws {
    for name in ["b.tsv", "a.csv.gz", "notes.md"] { _ = try write(name, []) }
    let error = #expect(throws: TextError.self) { try texts(folder, format: .tsv) }
    #expect(error == .folder(path: folder, files: ["a.csv.gz", "b.tsv"]))
    #expect(error?.help == #"name one of its files: "a.csv.gz", "b.tsv""#)
  }

  @Test(
    "one JSON list of objects is read as their lines would be",
    arguments: [
      #"[{"text": "a, ]"}, {"text": "b\\\""}]"#,
      "\n [\n  {\n    \"text\":\n \"a, ]\" , \"more\": [1, {\"x\": \"]\"}]},\n\n{\"text\": \"b\\\\\\\"\"}\n]\n",
    ])
  func list(text: String) throws {
    #expect(try texts(write("list.json", Array(text.utf8))) == ["a, ]", #"b\""#])
  }

  @Test(
    "a list that is not one is an error with its line",
    arguments: [
      ("[{\"text\": 1},\n{\"text\": 2}", 2, "the list is not closed"),
      ("[{\"text\": 1}]\nx", 2, "text follows the list"),
      ("[{\"text\": 1},\n]", 2, "expected a value behind the comma"), ("[\n", 1, "the list is not closed"),
    ])
  func brokenList(text: String, line: Int, reason: String) throws {
    let path = try write("list.json", Array(text.utf8))
    let error = #expect(throws: TextError.self) { try texts(path) }
    guard case .invalidJSON(_, line, _, reason)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    let numbers = try write("numbers.json", Array("[\n1]".utf8))
    #expect(throws: TextError.notAnObject(path: numbers, line: 2)) { try texts(numbers) }
  }

  @Test("a value of JSON keeps its type")
  func types() throws {
    let rows = #"{"id": 7, "text": "7"}"# + "\n" + #"{"id": "7", "text": null}"# + "\n"
    let table = try Table(path: write("types.jsonl", Array(rows.utf8)))
    #expect(table.rows.map { $0.json("id") } == ["7", "\"7\""])
    #expect(table.rows.map { $0.json("text") } == ["\"7\"", nil])
    #expect(table.rows[0]["id"] == "7")
  }
}
