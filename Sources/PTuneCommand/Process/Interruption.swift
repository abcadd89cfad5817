import PTuneLibc
import Synchronization

/// Ctrl-C, SIGTERM, and SIGHUP when the terminal goes: the first one asks the command to come to an end, the second one ends it.
enum Interruption {
  private static let count = Atomic<Int>(0)

  /// Whether the user asked the command to end.
  static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// Takes over the signals; one that was ignored when the process began stays so.
  static func handle() {
    // Made here: a signal handler must not be the first to touch it.
    _ = isRequested
    // A parent may start us from a thread that blocks signals, as those of a thread pool do; masks are inherited.
    var all = sigset_t()
    sigemptyset(&all)
    for number in signals { sigaddset(&all, number) }
    pthread_sigmask(SIG_UNBLOCK, &all, nil)
    for number in signals {
      if SignalAction(of: number).isIgnored { continue }
      signal(number) { _ in
        guard Interruption.count.add(1, ordering: .relaxed).oldValue == 0 else {
          _exit(Failure.interruptedStatus)
        }
      }
    }
  }
}
