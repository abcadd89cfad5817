// The C library, under its name on each system, and the few calls of it that need care.
import CPTunePlatform
import PTuneLibc

/// The path of the running executable, or `nil` if the system does not tell.
public func executablePath() -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
    guard let start = buffer.baseAddress, ptune_executable_path(start, buffer.count) else { return nil }
    return String(cString: start)
  }
}

/// What an errno means: "Permission denied".
func systemMessage(_ code: Int32) -> String {
  String(cString: strerror(code))
}

/// The path with symbolic links, `.` and `..` resolved; `nil` if nothing is there.
func resolved(_ path: String) -> String? {
  guard let pointer = realpath(path, nil) else { return nil }
  defer { free(pointer) }
  return String(cString: pointer)
}

/// The folder that a path's last part is in.
func folder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// What `stat` says of a path, following links; the errno if it fails.
func status(of path: String) -> Result<stat, SystemError> {
  var information = stat()
  return stat(path, &information) == 0 ? .success(information) : .failure(SystemError(code: errno))
}

/// A failed system call.
struct SystemError: Error {
  let code: Int32
}

/// One file among all files of the machine.
struct FileIdentity: Hashable {
  let device: UInt64
  let node: UInt64

  init(_ information: stat) {
    device = UInt64(truncatingIfNeeded: information.st_dev)
    node = UInt64(information.st_ino)
  }
}
