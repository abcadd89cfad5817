import PTuneFormats
import Testing

@Suite("UTF-8")
struct UTF8Tests {
  @Test(
    "UTF-8 is validated to the byte",
    arguments: [
      ([0x61, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80], nil), ([0xC0, 0x80], 0),
      ([0xC1, 0xBF], 0),
      ([0xE0, 0x80, 0x80], 0), ([0xED, 0xA0, 0x80], 0), ([0xF0, 0x80, 0x80, 0x80], 0),
      ([0xF4, 0x90, 0x80, 0x80], 0),
      ([0xF5, 0x80, 0x80, 0x80], 0), ([0x61, 0x80], 1), ([0x61, 0xE2, 0x82], 1), ([0xEF, 0xBF, 0xBD], nil),
      ([0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0x61, 0xFF], 9),
    ] as [([UInt8], Int?)])
  func validation(bytes: [UInt8], expected: Int?) {
    #expect(bytes.withUnsafeBufferPointer { UTF8Text.firstInvalid($0) } == expected)
  }

  @Test("a file that is not UTF-8 is refused with the line and the byte, and what to do")
  func file() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.txt", Array("erste Zeile\nzw".utf8) + [0xF6, 0x6C, 0x66, 0x0A])
    let error = #expect(throws: InvalidUTF8.self) { try MappedFile(path).text() }
    #expect(error?.description == "\(path):2: byte 3 of the line is not UTF-8")
    #expect(error?.help == "convert the file to UTF-8: iconv -f ENCODING -t UTF-8 FILE > NEW")
  }

  @Test("a file that is UTF-8 is read as it stands")
  func whole() throws {
    let folder = try TemporaryFolder()
    #expect(try MappedFile(folder.write("a.txt", "zwölf €\n")).text() == "zwölf €\n")
    #expect(try MappedFile(folder.write("b.txt", "")).text() == "")
  }
}
