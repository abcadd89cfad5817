import Foundation
import PTune
import PTuneFormats
import Testing

@Suite("The release") struct ReleaseTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  @Test("ptune and every plugin of its own have the version of the kit")
  func version() throws {
    let desk = try Desk()
    #expect(try desk.ptune("--version").output == "\(Release.version)\n")
    let document = try desk.ptune("list-plugins", "--json").document()
    let components = try #require(document["components"]?.arrayValue)
    #expect(components.count > 20)
    #expect(components.allSatisfy { $0["version"]?.stringValue == Release.version })
  }

  @Test("no other source file spells the version")
  func writtenOnce() throws {
    var spelt: [String] = []
    for folder in ["Sources", "Plugins", "Templates", "Scripts"] {
      let files = FileManager.default.enumerator(
        at: Self.root.appending(path: folder), includingPropertiesForKeys: nil)
      for case let file as URL in try #require(files) {
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
        if text.contains("\"\(Release.version)\"") { spelt.append(file.lastPathComponent) }
      }
    }
    // The header's comment is an example, and frozen.
    #expect(spelt.sorted() == ["Release.swift", "ptune.h"])
  }
}
