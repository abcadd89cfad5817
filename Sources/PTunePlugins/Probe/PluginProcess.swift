import CPTunePlatform
import PTuneLibc

/// A child process that plugins run in: it reports on descriptor 3, and a plugin that ends it ends nothing else.
package struct PluginProcess {
  private let pid: pid_t
  private var report: Int32
  private var output: Int32
  private var status: Int32?

  /// Starts a program in a process group of its own, with standard input and output closed off.
  package init(
    _ executable: String, arguments: [String], environment: [String: String]
  ) throws(ProbeStartError) {
    var environment = environment
    environment["SWIFT_BACKTRACE"] = "enable=no"
    var reportEnd: Int32 = -1
    var outputEnd: Int32 = -1
    (report, output) = (-1, -1)
    var code = ptune_make_pipe(&report, &reportEnd)
    if code == 0 { code = ptune_make_pipe(&output, &outputEnd) }
    var pid: pid_t = 0
    if code == 0 {
      code = withCStrings([executable] + arguments) { arguments in
        withCStrings(environment.map { "\($0)=\($1)" }) { environment in
          ptune_spawn_child(&pid, executable, arguments, environment, true, outputEnd, reportEnd)
        }
      }
    }
    for end in [reportEnd, outputEnd] where end >= 0 { close(end) }
    self.pid = pid
    guard code == 0 else {
      for end in [report, output] where end >= 0 { close(end) }
      throw ProbeStartError(text: "\(executable) cannot be started: \(systemMessage(code))")
    }
    _ = fcntl(report, F_SETFL, O_NONBLOCK)
    _ = fcntl(output, F_SETFL, O_NONBLOCK)
  }

  /// Waits until there is something to read, the child may have ended, or the time is up.
  package func wait(atMost time: Duration) {
    // A child that closed its pipes, or left them to a child of its own, ends without a word: ask now and then.
    let most: Duration = report < 0 ? .milliseconds(2) : .milliseconds(50)
    let milliseconds = Int32((min(time, most) / .milliseconds(1)).rounded(.up))
    var descriptors = [report, output].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    poll(&descriptors, nfds_t(descriptors.count), milliseconds)
  }

  /// How the child ended; `nil` while it runs.
  package mutating func ending() -> Rejection.Ending? {
    if status == nil {
      var raw: Int32 = 0
      guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
      status = raw
    }
    guard let status else { return nil }
    // What the macros WIFSIGNALED, WTERMSIG and WEXITSTATUS compute.
    let signal = status & 0x7F
    return signal == 0 ? .exit((status >> 8) & 0xFF) : .signal(signal)
  }

  /// What has arrived on descriptor 3 since the last time.
  package mutating func readReport() -> [UInt8] { Self.drain(&report) }

  /// What has arrived on standard error since the last time.
  package mutating func readOutput() -> [UInt8] { Self.drain(&output) }

  /// Ends the child and all that it started, and closes the pipes.
  package mutating func end() {
    kill(-pid, SIGKILL)
    if status == nil {
      var raw: Int32 = 0
      while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
      status = raw
    }
    for end in [report, output] where end >= 0 { close(end) }
    (report, output) = (-1, -1)
  }

  /// All that can be read without waiting, up to a megabyte; closes the pipe at its end.
  private static func drain(_ descriptor: inout Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16384)
    while descriptor >= 0, bytes.count < 1 << 20 {
      let count = read(descriptor, &block, block.count)
      if count > 0 {
        bytes += block[..<count]
      } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
        close(descriptor)
        descriptor = -1
      } else if errno == EAGAIN {
        break
      }
    }
    return bytes
  }
}

/// Calls `body` with the texts as an array of C strings that NULL ends.
package func withCStrings<Result>(
  _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
  let pointers = texts.map { strdup($0) } + [nil]
  defer { for pointer in pointers { free(pointer) } }
  return pointers.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped) }
}
