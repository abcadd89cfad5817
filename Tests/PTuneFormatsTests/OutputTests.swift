import Foundation
import Testing

@testable import PTuneFormats

/// Where results go: nothing but the file that is meant changes.
@Suite("Outputs") struct OutputTests {
  private func kind(_ path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
  }

  @Test("a pipe is written to and stays one")
  func pipes() throws {
    let folder = try TemporaryFolder()
    let path = folder("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    let reading = open(path, O_RDONLY | O_NONBLOCK)
    defer { close(reading) }
    try AtomicFile.write("text", output: path, reading: [])
    #expect(kind(path) == S_IFIFO)
    var buffer = [UInt8](repeating: 0, count: 10)
    #expect(read(reading, &buffer, 10) == 4)
    #expect(try FileSystem.entries(of: folder.path) == ["pipe"])
  }

  @Test("a device is written to and stays one", arguments: ["/dev/null", "link"])
  func devices(path: String) throws {
    let folder = try TemporaryFolder()
    try #require(symlink("/dev/null", folder("link")) == 0)
    try AtomicFile.write("text", output: FilePath.join(folder.path, path), reading: [])
    #expect(kind("/dev/null") == S_IFCHR)
  }

  @Test("a link of ptune's own folder is replaced, and what it points to stays")
  func links() throws {
    let folder = try TemporaryFolder()
    try folder.write("mine", "old")
    try #require(symlink("mine", folder("report.html")) == 0)
    try AtomicFile.write("new", to: folder("report.html"))
    #expect(try String(contentsOfFile: folder("mine"), encoding: .utf8) == "old")
    #expect(kind(folder("report.html")) == S_IFREG)
  }

  @Test("what is appended to is no link")
  func appended() throws {
    let folder = try TemporaryFolder()
    try folder.write("mine", "old")
    try #require(symlink("mine", folder("metrics.jsonl")) == 0)
    #expect(throws: FileError(.create, folder("metrics.jsonl"), code: ELOOP)) {
      _ = try LineAppender(folder("metrics.jsonl"))
    }
    #expect(throws: FileError(.create, folder("metrics.jsonl"), code: ELOOP)) {
      _ = try ByteAppender(folder("metrics.jsonl"))
    }
  }

  @Test("a folder within one of ptune's own is no link, not even of its own")
  func folders() throws {
    let (folder, other) = (try TemporaryFolder(), try TemporaryFolder())
    try #require(symlink(other.path, folder("checkpoints")) == 0)
    #expect(throws: FileError.self) { try FileSystem.createOwnFolder(folder("checkpoints")) }
    #expect(throws: FileError(.open, folder("checkpoints"), code: ELOOP)) {
      try AtomicFile.write("x", to: folder("checkpoints/a"), within: folder.path)
    }
    #expect(try FileSystem.entries(of: other.path).isEmpty)
    try FileSystem.createFolder(folder("real/deep"))
    try AtomicFile.write("x", to: folder("real/deep/a"), within: folder.path)
    #expect(try String(contentsOfFile: folder("real/deep/a"), encoding: .utf8) == "x")
    #expect(try FileSystem.entries(of: folder("real/deep")) == ["a"])
  }

  @Test("leftovers are looked for neither behind links nor in loops of them")
  func leftovers() throws {
    let (folder, other) = (try TemporaryFolder(), try TemporaryFolder())
    try other.write(".ptune-1-1.partial", "mine")
    try FileSystem.createFolder(folder("a"))
    try #require(symlink(other.path, folder("link")) == 0)
    try #require(symlink("..", folder("a/loop")) == 0)
    try folder.write("a/.ptune-1-2.partial", "left")
    try Leftovers.remove(in: folder.path)
    #expect(try FileSystem.entries(of: other.path) == [".ptune-1-1.partial"])
    #expect(try FileSystem.entries(of: folder("a")) == ["loop"])
    try Leftovers.removeAtOnce(folder("link"))
    #expect(try FileSystem.entries(of: other.path) == [".ptune-1-1.partial"])
    #expect(!FileSystem.exists(folder("link")))
  }

  @Test("an adapter's link is replaced by a folder without what it pointed to")
  func adapterFolders() throws {
    let (folder, other) = (try TemporaryFolder(), try TemporaryFolder())
    try other.write("secret", "mine")
    try #require(symlink(other.path, folder("adapter")) == 0)
    let files = try AtomicFolder(folder("adapter"), followsLink: false)
    try AtomicFile.write("x", to: FilePath.join(files.staging, "a"))
    try files.commit()
    #expect(try FileSystem.entries(of: folder("adapter")) == ["a"])
    #expect(try FileSystem.entries(of: other.path) == ["secret"])
  }

  @Test("an input is not written over, whatever its name is")
  func inputs() throws {
    let folder = try TemporaryFolder()
    try folder.write("rows", "data")
    try #require(symlink("rows", folder("link")) == 0 && link(folder("rows"), folder("same")) == 0)
    for output in ["rows", "link", "same", "./rows"] {
      let path = "\(folder.path)/\(output)"
      #expect(throws: FileError(.replaceInput, path, code: EEXIST)) {
        _ = try AtomicFile(output: path, reading: [folder("none"), folder("rows")])
      }
    }
    #expect("\(FileError(.replaceInput, "rows", code: EEXIST))" == "cannot write over 'rows', which is read")
    #expect(try String(contentsOfFile: folder("rows"), encoding: .utf8) == "data")
  }

  @Test("the next output takes away what a killed process left, and nothing that is still written")
  func abandoned() throws {
    let folder = try TemporaryFolder()
    try folder.write(".ptune-1-1.partial", "left")
    let first = try AtomicFile(output: folder("first"), reading: [])
    try AtomicFile.write("x", output: folder("second"), reading: [])
    try first.commit()
    #expect(try FileSystem.entries(of: folder.path) == ["first", "second"])
  }

  @Test("a pipe that nobody writes to is refused at once")
  func hanging() throws {
    let folder = try TemporaryFolder()
    try #require(mkfifo(folder("pipe"), 0o600) == 0)
    #expect(throws: FileError(.read, folder("pipe"), code: EINVAL)) { _ = try MappedFile(folder("pipe")) }
  }
}
