import PTuneLibc

/// An operation on a file that the system refused.
public struct FileError: Error, Equatable, Sendable {
  /// What was tried.
  public enum Operation: String, Sendable {
    /// Opening a file to read it.
    case open
    /// Reading a file.
    case read
    /// Mapping a file into memory.
    case map
    /// Making a new file.
    case create
    /// Writing to a file.
    case write
    /// Waiting until a file or a folder is on the disk.
    case sync
    /// Putting a finished file in its place.
    case replace
    /// Making a folder.
    case createFolder = "create the folder"
    /// Listing a folder.
    case list = "list the folder"
    /// Removing a file.
    case remove
    /// Putting a result in the place of a file that is read.
    case replaceInput = "write over"
  }

  /// What was tried.
  public let operation: Operation
  /// The file or folder.
  public let path: String
  /// The system's error number, `ENOSPC` and so on.
  public let code: Int32

  /// An error of one's own, for a system call made elsewhere.
  public init(_ operation: Operation, _ path: String, code: Int32 = errno) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// What to do about it.
  public var help: String? {
    let folder = FilePath.folder(of: path)
    if operation == .replaceInput { return "name another file for the output" }
    switch code {
    case ELOOP:
      return
        "within a folder of ptune's, links to files and folders are not followed; replace '\(path)' by what it stands for"
    case ENOSPC, EDQUOT: return "free some space, or choose another folder for the output"
    case EFBIG where operation == .read:
      return "it is larger than any text that is read; see whether it is the right file"
    case EFBIG: return "a limit on file sizes is in force; see 'ulimit -f'"
    case EROFS: return "the disk is read-only; choose another folder"
    case EACCES, EPERM:
      switch operation {
      case .open, .read, .map, .list: return "check who may read it: ls -ld '\(path)'"
      default: return "check who may write there: ls -ld '\(folder)'"
      }
    case ENOENT, ENOTDIR:
      switch operation {
      case .open, .read, .map, .list: return "check the path; a relative one starts from the current folder"
      default:
        return FileSystem.isFolder(folder)
          ? "nothing can be created in '\(folder)'; choose another folder" : "there is no folder '\(folder)'"
      }
    case EEXIST where operation == .createFolder: return "a file has this name; choose another folder"
    case EINVAL where operation == .read || operation == .map: return "it is not a regular file; name one"
    case EISDIR: return "it is a folder; name a file"
    case ENAMETOOLONG: return "choose a shorter name"
    case EMFILE, ENFILE: return "too many files are open; see 'ulimit -n'"
    default: return nil
    }
  }
}

extension FileError: HelpfulError {
  /// The operation, the path and the system's words for the reason.
  public var description: String {
    operation == .replaceInput
      ? "cannot write over '\(path)', which is read"
      : "cannot \(operation.rawValue) '\(path)': \(String(cString: strerror(code)))"
  }
}
