import PTuneFormats
import PTuneLibc

/// What all of a process shares, and a plugin has to leave as it is.
struct ProcessState {
  private let folder: String
  private let rounding: Int32
  private let decimalPoint: String
  private let threads, files: Int?

  /// The present state.
  init() {
    folder = FileSystem.currentFolder
    rounding = fegetround()
    decimalPoint = localeconv().pointee.decimal_point.map { String(cString: $0) } ?? "."
    threads = Self.count("/proc/self/task")
    files = Self.count("/proc/self/fd")
  }

  private static func count(_ folder: String) -> Int? { (try? FileSystem.entries(of: folder))?.count }

  /// The check that nothing of it has changed since.
  var unchanged: ConformanceCheck {
    ConformanceCheck("it leaves the process as it was") {
      let now = ProcessState()
      if now.folder != folder { return .failed("it changed the working folder to \(now.folder)") }
      if now.rounding != rounding { return .failed("it changed how floating-point numbers are rounded") }
      if now.decimalPoint != decimalPoint {
        return .failed("it changed the locale: numbers have a '\(now.decimalPoint)'")
      }
      if let before = threads, let after = now.threads, after > before {
        return .failed("\(after - before) more threads run than before its checks")
      }
      if let before = files, let after = now.files, after > before {
        return .failed("\(after - before) more files are open than before its checks")
      }
      return .passed("folder, rounding, locale, threads, open files")
    }
  }
}
