import CPTunePlatform
import PTuneEngine
import PTuneLibc

/// Says which plugin was at work when the process dies of a signal.
enum CrashReport {
  private static let signals: [(number: Int32, name: StaticString)] = [
    (SIGSEGV, "SIGSEGV"), (SIGBUS, "SIGBUS"), (SIGFPE, "SIGFPE"), (SIGILL, "SIGILL"), (SIGABRT, "SIGABRT"),
    (SIGTRAP, "SIGTRAP"),
  ]

  /// What was done about each of them before, which is done after the report.
  // Unsafe to others, but written before a handler is there and only read from then on.
  nonisolated(unsafe) private static let before = UnsafeMutableBufferPointer<SignalAction>.allocate(
    capacity: signals.count)

  /// Takes over the signals of crashes; the process still dies of them.
  ///
  /// Swift's runtime has a handler for them where it finds its program for backtraces, as in a checkout. Users are promised two
  /// lines and not fifty, so that one follows only where `SWIFT_BACKTRACE` asks for it. Any other handler, such as a sanitizer's,
  /// follows always.
  static func prepare() {
    // A stack that overflows has no room for the handler.
    var stack = stack_t()
    let size = 1 << 16
    stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    stack.ss_size = size
    sigaltstack(&stack, nil)
    // Made here: a signal handler must not be the first to touch them.
    _ = (signals.count, CallInProgress.text)
    let wantsBacktrace = getenv("SWIFT_BACKTRACE") != nil
    for (index, signal) in signals.enumerated() {
      var old = SignalAction(of: signal.number)
      if !wantsBacktrace, ptune_is_of_swift_runtime(old.function) { old = SignalAction.default }
      before.initializeElement(at: index, to: old)
      if !old.isIgnored { SignalAction(once: tell).install(for: signal.number) }
    }
  }

  private static let tell: @convention(c) (Int32) -> Void = { number in
    if let call = CallInProgress.text {
      CrashReport.put("error: ")
      write(STDERR_FILENO, call, strlen(call))
      CrashReport.put(" crashed")
      for (known, name) in CrashReport.signals where known == number {
        CrashReport.put(" (")
        write(STDERR_FILENO, name.utf8Start, name.utf8CodeUnitCount)
        CrashReport.put(")")
      }
      CrashReport.put(
        "\nhelp: files that were written are intact; resume a training with --resume once the component is fixed\n"
      )
    } else if number == SIGBUS {
      // No plugin was at work: what is mapped are the model's files.
      CrashReport.put(
        "error: a file that ptune reads, such as the model's, was truncated while it was in use ")
      CrashReport.put(
        "(SIGBUS)\nhelp: restore the file; --resume continues a training from its checkpoint\n")
    }
    // Done once this returns, where the signal came from.
    for index in CrashReport.signals.indices where CrashReport.signals[index].number == number {
      CrashReport.before[index].install(for: number)
    }
    raise(number)
  }

  private static func put(_ text: StaticString) {
    write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
  }
}
