import PTuneEngine
import PTuneLibc

/// Says which plugin was at work when the process dies of a signal.
enum CrashReport {
  private static let signals: [(number: Int32, name: StaticString)] = [
    (SIGSEGV, "SIGSEGV"), (SIGBUS, "SIGBUS"), (SIGFPE, "SIGFPE"), (SIGILL, "SIGILL"), (SIGABRT, "SIGABRT"),
    (SIGTRAP, "SIGTRAP"),
  ]

  /// Takes over the signals of crashes; the process still dies of them. A handler that already exists stays.
  static func prepare() {
    // A stack that overflows has no room for the handler.
    var stack = stack_t()
    let size = 1 << 16
    stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    stack.ss_size = size
    sigaltstack(&stack, nil)
    // Made here: a signal handler must not be the first to touch them.
    _ = (signals.count, CallInProgress.text)
    for (number, _) in signals {
      var old = sigaction()
      guard sigaction(number, nil, &old) == 0, isDefault(old) else { continue }
      var action = sigaction()
      sigemptyset(&action.sa_mask)
      action.sa_flags =
        Int32(truncatingIfNeeded: Int(SA_ONSTACK)) | Int32(truncatingIfNeeded: Int(SA_RESETHAND))
      #if canImport(Darwin)
        action.__sigaction_u.__sa_handler = tell
      #else
        action.__sigaction_handler.sa_handler = tell
      #endif
      sigaction(number, &action, nil)
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
    // The handler is gone already, so this is the end.
    raise(number)
  }

  private static func put(_ text: StaticString) {
    write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
  }

  private static func isDefault(_ action: sigaction) -> Bool {
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_DFL, to: Int.self)
  }
}
