import CPTunePlatform
import PTuneComparison
import PTuneFormats
import PTuneLibc
import PTunePlugins

/// A part of a comparison that runs in a process of its own, with its messages in the cell's log.
struct CellProcess {
  /// How it ended.
  enum Ending: Equatable {
    case done
    case interrupted
    case failed(error: String, help: String?)
  }

  let part: CompareCell.Part
  let cell: CellFolder
  let pluginFolders: [String]
  /// What pins the plugins; nil if nothing does.
  let lock: String?

  /// Runs it to its end. Ctrl-C is handed on as SIGTERM, so that the training writes a checkpoint. The child is of the
  /// same process group, to be stopped and continued with its parent.
  ///
  /// - Parameter progress: takes what it says about its progress.
  /// - Throws: `FileError` if it cannot be started.
  func run(progress: (String) -> Void) throws -> Ending {
    let log = open(cell.logFile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard log >= 0 else { throw FileError(.create, cell.logFile) }
    defer { close(log) }
    var (reading, writing): (Int32, Int32) = (-1, -1)
    let executable = executablePath() ?? CommandLine.arguments[0]
    let arguments =
      [executable, "compare-cell", part.rawValue, cell.path, "--parent", "\(getpid())"]
      + pluginFolders.flatMap { ["--plugin-path", $0] } + (lock.map { ["--lock", $0] } ?? [])
    var pid: pid_t = 0
    var code = ptune_make_pipe(&reading, &writing)
    if code == 0 {
      code = withCStrings(arguments) { arguments in
        withCStrings(FileSystem.environment.map { "\($0)=\($1)" }) { environment in
          ptune_spawn_child(&pid, executable, arguments, environment, false, log, writing)
        }
      }
      close(writing)
    }
    defer { if reading >= 0 { close(reading) } }
    guard code == 0 else { throw FileError(.read, executable, code: code) }
    return ending(wait(for: pid, reading: reading, progress: progress))
  }

  /// Waits for the end of the process.
  ///
  /// - Returns: its status, as `waitpid` gives it.
  private func wait(for pid: pid_t, reading: Int32, progress: (String) -> Void) -> Int32 {
    var (status, wasTold): (Int32, Bool) = (0, false)
    var line: [UInt8] = []
    _ = fcntl(reading, F_SETFL, O_NONBLOCK)
    while true {
      let ended = waitpid(pid, &status, WNOHANG)
      if ended == pid || (ended < 0 && errno != EINTR) { return status }
      if Interruption.isRequested, !wasTold {
        wasTold = true
        kill(pid, SIGTERM)
      }
      var descriptor = pollfd(fd: reading, events: Int16(POLLIN), revents: 0)
      if poll(&descriptor, 1, 50) > 0 {
        var block = [UInt8](repeating: 0, count: 4096)
        let count = read(reading, &block, block.count)
        // The child closed its end, perhaps a while before it ends.
        if count == 0 { _ = poll(nil, 0, 20) }
        line += block[..<max(0, count)]
        let lines = line.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.count > 1 { progress(String(decoding: lines[lines.count - 2], as: UTF8.self)) }
        line = Array(lines[lines.count - 1])
      }
    }
  }

  private func ending(_ status: Int32) -> Ending {
    // What the macros WTERMSIG and WEXITSTATUS compute.
    let (signal, code) = (status & 0x7F, (status >> 8) & 0xFF)
    switch (signal, code) {
    case (0, 0): return .done
    case (0, Failure.interruptedStatus) where Interruption.isRequested: return .interrupted
    case (0, _):
      let (error, help) = message()
      return .failed(error: error ?? "it ended with status \(code)", help: help ?? "see \(cell.logFile)")
    default:
      if Interruption.isRequested { return .interrupted }
      return .failed(
        error: "it was ended by signal \(signal)",
        help: signal == SIGKILL ? "the system may have run out of memory" : "see \(cell.logFile)")
    }
  }

  /// The last error in the log, and its help.
  private func message() -> (error: String?, help: String?) {
    guard let text = try? MappedFile(cell.logFile).withBytes({ String(decoding: $0, as: UTF8.self) }) else {
      return (nil, nil)
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let error = lines.lastIndex(where: { $0.hasPrefix("error: ") }) else { return (nil, nil) }
    let help = lines[error...].firstIndex { $0.hasPrefix("help: ") }
    let reason = lines[error..<(help ?? lines.endIndex)].joined(separator: " ").dropFirst(7)
    return (
      String(reason), help.map { lines[$0...].joined(separator: "\n").dropFirst(6) }.map(String.init)
    )
  }
}
