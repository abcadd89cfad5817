import Foundation
import Testing

@testable import PTuneFormats

@Suite("Event files for TensorBoard") struct TensorBoardTests {
  static let reference = try? JSONValue.read(
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
      + "/Fixtures/tensorboard.json")

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test("checksums are those of the tensorboard package")
  func checksums() throws {
    // The check value of CRC-32C in every catalogue.
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    for sample in try #require(Self.reference?["checksums"]?.arrayValue) {
      let digits = Array(try #require(sample["bytes"]?.stringValue))
      let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(digits[$0...$0 + 1]), radix: 16)
      }
      #expect(sample["masked"] == .int(Int(CRC32C.masked(bytes))))
    }
  }

  @Test("records are byte for byte those that the tensorboard package writes")
  func records() throws {
    let records = [
      "version": EventRecord.fileVersion(time: 12.5),
      "restart": EventRecord.restart(step: 301, time: 12.5),
      "scalars": EventRecord.scalars([("train/loss", 0.75), ("validation/f1", 1e-3)], step: 300, time: 12.5),
      "hyperparameters": EventRecord.hyperparameters(
        [("a.number", .number(0.03)), ("b.text", .text("käse")), ("c.flag", .flag(true))], time: 12.5),
      "end": EventRecord.end(time: 12.5),
    ]
    for (name, record) in records {
      #expect(Self.reference?[name]?.stringValue == hex(EventRecord.framed(record)), "\(name)")
    }
  }

  @Test(
    "a later file of a folder comes after the earlier ones, even if the clock was set back, and says where it begins"
  )
  func files() throws {
    let folder = try TemporaryFolder()
    let first = try EventFile(in: folder.path, now: { 2000 })
    try first.scalars([("train/loss", 1)], step: 1)
    let second = try EventFile(in: folder.path, restartStep: 8, now: { 1000 })
    #expect(FilePath.name(of: first.path) == "events.out.tfevents.0000002000.ptune.000000")
    #expect(FilePath.name(of: second.path) == "events.out.tfevents.0000002000.ptune.000001")
    let expected =
      EventRecord.framed(EventRecord.fileVersion(time: 1000))
      + EventRecord.framed(EventRecord.restart(step: 8, time: 1000))
    #expect(try MappedFile(second.path).withBytes { Array($0) } == expected)
    try EventFile.removeAll(in: folder.path)
    #expect(try FileSystem.entries(of: folder.path) == [])
  }
}
