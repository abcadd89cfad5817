import Foundation
import PTuneLibc
import Testing

@testable import PTuneFormats

@Suite("Folders whose files change together") struct AtomicFolderTests {
  private let place: String

  init() throws {
    place = FileManager.default.temporaryDirectory.appendingPathComponent("ptune-\(UUID().uuidString)").path
    try FileSystem.createFolder(place)
  }

  private func read(_ path: String) throws -> String {
    try String(contentsOfFile: "\(place)/\(path)", encoding: .utf8)
  }

  private func start(
    _ files: [String: String], exchange: ((String, String) -> Int32)? = nil
  ) throws -> AtomicFolder {
    let folder =
      try exchange.map { try AtomicFolder("\(place)/a", exchange: $0) } ?? AtomicFolder("\(place)/a")
    for (name, text) in files { try AtomicFile.write(text, to: FilePath.join(folder.staging, name)) }
    return folder
  }

  @Test("new files come all at once, others stay, links and folders too, and nothing is left beside")
  func exchanges() throws {
    try start(["x": "old", "y": "old", "z": "stale"]).commit()
    try FileSystem.createFolder("\(place)/a/more")
    try AtomicFile.write("kept", to: "\(place)/a/more/notes")
    try #require(symlink("more/notes", "\(place)/a/link") == 0)
    let folder = try start(["x": "new", "y": "new"])
    #expect(try read("a/x") == "old")
    try folder.commit(dropping: ["z"])
    #expect(try read("a/x") == "new")
    #expect(try read("a/link") == "kept")
    #expect(try FileSystem.entries(of: "\(place)/a") == ["link", "more", "x", "y"])
    #expect(try FileSystem.entries(of: place) == ["a"])
  }

  @Test("what is given up leaves the old folder as it was")
  func givesUp() throws {
    try start(["x": "old"]).commit()
    do { _ = try start(["x": "new"]) }
    #expect(try read("a/x") == "old")
    #expect(try FileSystem.entries(of: place) == ["a"])
  }

  @Test("what a crash left beside goes, and of a folder that it left aside only, the newer one is put back")
  func leftovers() throws {
    try start(["x": "old"]).commit()
    try FileSystem.createFolder("\(place)/.a.partial")
    try AtomicFile.write("half", to: "\(place)/.a.partial/x")
    try AtomicFolder.removeLeftovers(of: "\(place)/a")
    #expect(try read("a/x") == "old")
    #expect(try FileSystem.entries(of: place) == ["a"])
    try FileSystem.createFolder("\(place)/.a.partial")
    try AtomicFile.write("new", to: "\(place)/.a.partial/x")
    try #require(rename("\(place)/a", "\(place)/.a.previous") == 0)
    try AtomicFolder.removeLeftovers(of: "\(place)/a")
    #expect(try read("a/x") == "new")
    #expect(try FileSystem.entries(of: place) == ["a"])
  }

  @Test("a link to a folder stays one")
  func linked() throws {
    try FileSystem.createFolder("\(place)/real")
    try #require(symlink("real", "\(place)/a") == 0)
    try start(["x": "new"]).commit()
    #expect(try read("real/x") == "new")
    #expect(try FileSystem.entries(of: place) == ["a", "real"])
  }

  @Test("where folders cannot be exchanged the old one is moved away first")
  func withoutExchange() throws {
    try start(["x": "old", "y": "kept"]).commit()
    try start(["x": "new"], exchange: { _, _ in EINVAL }).commit()
    #expect(try read("a/x") == "new")
    #expect(try read("a/y") == "kept")
    #expect(try FileSystem.entries(of: place) == ["a"])
    // A crash between the two steps.
    try start(["x": "newer"]).commit()
    try #require(rename("\(place)/a", "\(place)/.a.previous") == 0)
    try FileSystem.createFolder("\(place)/.a.partial")
    try AtomicFile.write("newest", to: "\(place)/.a.partial/x")
    try AtomicFolder.recover("\(place)/a")
    #expect(try read("a/x") == "newest")
    #expect(try FileSystem.entries(of: place) == ["a"])
  }

  @Test("a failure that is no lack of ability is an error, and the old folder stays")
  func fails() throws {
    try start(["x": "old"]).commit()
    #expect(throws: FileError.self) { try start(["x": "new"], exchange: { _, _ in EIO }).commit() }
    #expect(try read("a/x") == "old")
    #expect(try FileSystem.entries(of: place) == ["a"])
  }
}
