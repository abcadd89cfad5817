import PTuneFormats
import PTuneLibc

/// A temporary folder for the files of one input. It goes with the object.
public final class Scratch: @unchecked Sendable {
  // @unchecked: it holds nothing but a path; who shares it is told not to use it twice at a time.

  /// The folder.
  public let folder: String
  private var names: Set<String> = []

  /// Makes the folder under TMPDIR.
  ///
  /// - Throws: `FileError`.
  public init() throws(FileError) {
    let parent = FileSystem.environment["TMPDIR"] ?? "/tmp"
    var template = Array(FilePath.join(parent, "ptune-fuzz-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw FileError(.createFolder, parent) }
    folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit {
    for name in names { unlink(FilePath.join(folder, name)) }
    rmdir(folder)
  }

  /// Writes a file; quickly, since nobody needs it after a crash.
  ///
  /// - Returns: its path.
  func file(_ name: String, _ bytes: some Collection<UInt8>) throws(FileError) -> String {
    let path = FilePath.join(folder, name)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileError(.create, path) }
    defer { close(descriptor) }
    names.insert(name)
    let content = Array(bytes)
    guard content.isEmpty || write(descriptor, content, content.count) == content.count else {
      throw FileError(.write, path)
    }
    return path
  }
}
