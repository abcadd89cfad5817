import PTuneLibc

/// What the process does about a signal.
struct SignalAction {
  private var action = sigaction()

  /// What it does now.
  init(of number: Int32) { sigaction(number, nil, &action) }

  /// What the system does by default, which ends the process.
  static let `default` = SignalAction()

  private init() { sigemptyset(&action.sa_mask) }

  /// Calls a function, once: the next signal is dealt with by default. It runs on the stack that was set up for signals, if
  /// one was.
  init(once handler: @convention(c) (Int32) -> Void) {
    sigemptyset(&action.sa_mask)
    action.sa_flags =
      Int32(truncatingIfNeeded: Int(SA_ONSTACK)) | Int32(truncatingIfNeeded: Int(SA_RESETHAND))
    #if canImport(Darwin)
      action.__sigaction_u.__sa_handler = handler
    #else
      action.__sigaction_handler.sa_handler = handler
    #endif
  }

  /// Does this about a signal from here on.
  func install(for number: Int32) {
    var action = action
    sigaction(number, &action, nil)
  }

  /// The function that is called, `SIG_DFL` or `SIG_IGN`.
  private var handler: Int {
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self)
  }

  /// Whether the system's default is done.
  var isDefault: Bool { handler == unsafeBitCast(SIG_DFL, to: Int.self) }
  /// Whether nothing is done.
  var isIgnored: Bool { handler == unsafeBitCast(SIG_IGN, to: Int.self) }
  /// The function that is called; nil for none.
  var function: UnsafeRawPointer? {
    isDefault || isIgnored ? nil : UnsafeRawPointer(bitPattern: handler)
  }
}
