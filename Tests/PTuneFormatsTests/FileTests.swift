import Foundation
import Testing

@testable import PTuneFormats

@Suite struct FileTests {
  @Test("a written file is there whole, and nothing else")
  func writes() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("one", to: folder("a.txt"))
    try AtomicFile.write("two", to: folder("a.txt"))
    #expect(try String(contentsOfFile: folder("a.txt"), encoding: .utf8) == "two")
    #expect(try FileSystem.entries(of: folder.path) == ["a.txt"])
  }

  @Test("a file that is given up leaves the old one and nothing else")
  func givenUp() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.txt", "old")
    do {
      let file = try AtomicFile(folder("a.txt"))
      try file.write("new")
      #expect(try FileSystem.entries(of: folder.path).count == 2)
    }
    #expect(try String(contentsOfFile: folder("a.txt"), encoding: .utf8) == "old")
    #expect(try FileSystem.entries(of: folder.path) == ["a.txt"])
  }

  @Test("a replaced file keeps its permissions, and a link that the user names stays a link")
  func keepsKind() throws {
    let folder = try TemporaryFolder()
    try folder.write("target.txt", "old")
    chmod(folder("target.txt"), 0o640)
    symlink("target.txt", folder("link.txt"))
    try AtomicFile.write("new", output: folder("link.txt"), reading: [])
    var status = stat()
    lstat(folder("link.txt"), &status)
    #expect(status.st_mode & S_IFMT == S_IFLNK)
    stat(folder("target.txt"), &status)
    #expect(status.st_mode & 0o777 == 0o640)
    #expect(try String(contentsOfFile: folder("target.txt"), encoding: .utf8) == "new")
  }

  @Test("a missing folder and a folder in the file's place are named, with what to do")
  func wrongPlace() throws {
    let folder = try TemporaryFolder()
    #expect(
      message { try AtomicFile.write("x", to: folder("no/a.txt")) } == """
        cannot create '\(folder("no/a.txt"))': No such file or directory
        help: there is no folder '\(folder("no"))'
        """)
    #expect(
      message { try AtomicFile.write("x", to: folder.path) } == """
        cannot create '\(folder.path)': Is a directory
        help: it is a folder; name a file
        """)
  }

  @Test("a folder that may not be written to is named", .enabled(if: geteuid() != 0))
  func unwritable() throws {
    let folder = try TemporaryFolder()
    chmod(folder.path, 0o500)
    defer { chmod(folder.path, 0o700) }
    #expect(
      message { try AtomicFile.write("x", to: folder("a.txt")) } == """
        cannot create '\(folder("a.txt"))': Permission denied
        help: check who may write there: ls -ld '\(folder.path)'
        """)
  }

  #if os(Linux)
    @Test("a place where nobody may make files is an error, for root too")
    func impossiblePlace() {
      let text = message { try AtomicFile.write("x", to: "/proc/ptune.txt") }
      #expect(text.hasPrefix("cannot create '/proc/ptune.txt': "))
    }

    @Test("a full disk is named, with what to do")
    func fullDisk() {
      #expect(
        message {
          let lines = try LineAppender("/dev/full")
          try lines.append("a line")
        } == """
          cannot write '/dev/full': No space left on device
          help: free some space, or choose another folder for the output
          """)
    }
  #endif

  @Test("when a write fails half way, the old file stays and the temporary one goes")
  func failsHalfWay() async {
    // In a process of its own: the limit on file sizes holds for all threads.
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      try folder.write("a.txt", "old")
      try folder.write("lines.jsonl", "1\n")
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
      setrlimit(fileSizeLimit, &limit)
      let large = [UInt8](repeating: 0x61, count: 300_000)
      #expect(
        message { try AtomicFile.write(large, to: folder("a.txt")) } == """
          cannot write '\(folder("a.txt"))': File too large
          help: a limit on file sizes is in force; see 'ulimit -f'
          """)
      #expect(try String(contentsOfFile: folder("a.txt"), encoding: .utf8) == "old")
      let lines = try LineAppender(folder("lines.jsonl"))
      #expect(throws: FileError.self) { try lines.append(String(decoding: large, as: UTF8.self)) }
      try lines.append("2")
      #expect(try String(contentsOfFile: folder("lines.jsonl"), encoding: .utf8) == "1\n2\n")
      #expect(try FileSystem.entries(of: folder.path) == ["a.txt", "lines.jsonl"])
    }
  }

  @Test("lines are appended, and the half line of a crash is cut off")
  func lines() throws {
    let folder = try TemporaryFolder()
    let path = folder("metrics.jsonl")
    do {
      let lines = try LineAppender(path)
      try lines.append(["step": 1, "loss": 0.5])
      try lines.append("plain")
      try lines.sync()
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"step\": 1, \"loss\": 0.5}\nplain\n")
    for half in ["{\"st", String(repeating: "x", count: 10_000)] {
      try folder.write("metrics.jsonl", "a\nb\n" + half)
      let lines = try LineAppender(path)
      try lines.append("c")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "a\nb\nc\n")
    }
    try folder.write("metrics.jsonl", "only half")
    _ = try LineAppender(path)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "")
  }

  @Test("reading what is not a file says so")
  func mapping() throws {
    let folder = try TemporaryFolder()
    #expect(try content(folder.write("empty", "")).isEmpty)
    #expect(
      message { _ = try MappedFile(folder("absent")) } == """
        cannot open '\(folder("absent"))': No such file or directory
        help: check the path; a relative one starts from the current folder
        """)
    #expect(
      message { _ = try MappedFile(folder.path) } == """
        cannot read '\(folder.path)': Is a directory
        help: it is a folder; name a file
        """)
  }

  @Test("what a killed process left is removed, and nothing else")
  func leftovers() throws {
    let folder = try TemporaryFolder()
    for name in [".ptune-1-2.partial", "adapter/.ptune-77-1.partial", "a/.ptune-5-adapter.partial/x"] {
      try folder.write(name, "half")
    }
    for name in ["metrics.jsonl", ".ptune-notes", "my.partial"] { try folder.write(name, "whole") }
    try Leftovers.remove(in: folder.path)
    #expect(
      try FileSystem.entries(of: folder.path) == [
        ".ptune-notes", "a", "adapter", "metrics.jsonl", "my.partial",
      ])
    #expect(try FileSystem.entries(of: folder("a")) + FileSystem.entries(of: folder("adapter")) == [])
  }

  @Test("a path with a zero byte is no path, and not that of what stands before it")
  func zeroByte() throws {
    let folder = try TemporaryFolder()
    try folder.write("file", "x")
    let path = folder("file\0.txt")
    #expect(!FileSystem.exists(path))
    #expect(throws: FileError(.open, path, code: ENOENT)) { try MappedFile(path) }
    #expect(throws: FileError(.create, path, code: EINVAL)) { try AtomicFile.write("y", to: path) }
    #expect(throws: FileError(.createFolder, path, code: EINVAL)) { try FileSystem.createFolder(path) }
    #expect(try content(folder("file")) == [UInt8(ascii: "x")])
    #expect(throws: ModelError.self) { try ModelResolver(environment: [:]).resolve("\(folder.path)\0") }
  }

  @Test("a folder is removed with all that is in it, links themselves")
  func removal() throws {
    let folder = try TemporaryFolder()
    try folder.write("kept/file", "x")
    try folder.write("gone/within/file", "x")
    try #require(symlink(folder("kept"), folder("gone/link")) == 0)
    try Leftovers.removeAtOnce(folder("gone"))
    try Leftovers.removeAtOnce(folder("gone"))
    #expect(try FileSystem.entries(of: folder.path) == ["kept"])
    #expect(try content(folder("kept/file")) == [UInt8(ascii: "x")])
  }

  @Test(
    "paths are taken apart and put together",
    arguments: [
      ("a/b.txt", "a", "b.txt", "b"), ("/b", "/", "b", "b"), ("b.tar.gz", ".", "b.tar.gz", "b.tar"),
      ("x/.hidden", "x", ".hidden", ".hidden"),
    ])
  func parts(path: String, folder: String, name: String, stem: String) {
    #expect(FilePath.folder(of: path) == folder)
    #expect(FilePath.name(of: path) == name)
    #expect(FilePath.stem(of: path) == stem)
  }

  @Test(
    "paths are normalised",
    arguments: [
      ("/a/./b/../c", "/a/c"), ("/../a", "/a"), ("../a//b/", "../a/b"), ("a/..", "."), ("/", "/"),
    ])
  func normalised(path: String, expected: String) {
    #expect(FilePath.normalised(path) == expected)
  }
}

#if os(Linux)
  private let fileSizeLimit = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
#else
  private let fileSizeLimit = RLIMIT_FSIZE
#endif
