import CPTune
import PTune

/// Scopes, and the calls of components within them.
extension Session {
  /// A call of a component in progress.
  struct Frame {
    let identity: ComponentIdentity
    let method: String
    let checkpoint: (any CheckpointSource)?
    /// Strings handed out during the call.
    var strings: [UnsafeMutablePointer<CChar>] = []
  }

  /// Runs `body` as one scope: everything it records is forgotten, and its memory reused, afterwards. A scope within
  /// a scope ends with the outer one.
  public func scoped<Result>(_ body: () throws -> Result) rethrows -> Result {
    let outer = Session.current
    Session.current = self
    scopeDepth += 1
    defer {
      scopeDepth -= 1
      if scopeDepth == 0 { endScope() }
      Session.current = outer
    }
    return try body()
  }

  private func endScope() {
    // From the last: a node holds its inputs, so the other way round a long chain would go all at once, each within the
    // next, and overflow the stack.
    while nodes.popLast() != nil {}
    leaves.removeAll(keepingCapacity: true)
    objects.removeAll(keepingCapacity: true)
    scope = (scope + 1) % Handle.scopes
  }

  /// Calls a function of a component, with the call's handle, and throws the first failure it caused.
  ///
  /// - Throws: ``EngineFailure`` with plugin, component and function.
  func call<Result>(
    _ identity: ComponentIdentity, _ method: String, checkpoint: (any CheckpointSource)? = nil,
    _ body: (OpaquePointer?) throws -> Result
  ) throws -> Result {
    let outer = Session.current
    Session.current = self
    frames.append(Frame(identity: identity, method: method, checkpoint: checkpoint))
    CallInProgress.set(identity, method)
    defer {
      for string in frames.removeLast().strings { string.deallocate() }
      Session.current = outer
      CallInProgress.set(frames.last?.identity, frames.last?.method ?? "")
    }
    if frames.count == 1 { failure = nil }
    do {
      let result = try body(Handle(.call, scope: scope, index: frames.count).pointer)
      if let failure { throw failure }
      return result
    } catch {
      if let failure { throw failure }
      if error is EngineFailure { throw error }
      throw makeFailure("\(error)", status: ptune_status(PTUNE_FAILED))
    }
  }

  /// The call in progress, innermost.
  var frame: Frame? { frames.last }

  /// A copy of a string that lives until the call in progress returns.
  func scopedString(_ text: String) -> UnsafePointer<CChar>? {
    guard !frames.isEmpty else { return nil }
    let bytes = Array(text.utf8CString)
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    copy.initialize(from: bytes, count: bytes.count)
    frames[frames.count - 1].strings.append(copy)
    return UnsafePointer(copy)
  }

  private func makeFailure(_ reason: String, status: ptune_status) -> EngineFailure {
    let identity = frames.last?.identity
    return EngineFailure(
      component: identity?.component ?? "the engine", plugin: identity?.plugin,
      method: frames.last?.method ?? "between calls", reason: reason, status: status)
  }

  /// Records a failure of the call in progress; the first one wins.
  func record(_ reason: String, status: ptune_status = ptune_status(PTUNE_BAD_ARGUMENT)) {
    if failure == nil { failure = makeFailure(reason, status: status) }
  }
}
