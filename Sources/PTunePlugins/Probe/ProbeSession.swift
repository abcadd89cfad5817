import PTuneLibc

/// One child of the probe, from its start to its end, and what it said.
struct ProbeSession {
  let timeout: Duration
  /// Of the first files, in order; the last one is the culprit's if the child did not get to the end.
  private(set) var outcomes: [Result<PluginReport, Rejection.Reason>] = []

  private var messages = ProbeMessageReader()
  private var output = ProbeOutput()
  /// How far the child is with file `outcomes.count`; `nil` between two files.
  private var stage: Rejection.Stage?
  private var isDone = false
  private var isOutOfTurn = false

  init(timeout: Duration) {
    self.timeout = timeout
  }

  /// Probes the files until all are done or one ends the child.
  ///
  /// - Throws: `ProbeStartError` if the child does not begin at all.
  mutating func run(_ executable: String, files: [String], environment: [String: String])
    throws(ProbeStartError)
  {
    var environment = environment
    environment[PluginProbe.mark] = "1"
    var child = try PluginProcess(
      executable, arguments: [PluginProbe.command, "\(getpid())"] + files, environment: environment)
    let ending = follow(&child)
    child.end()
    output.finish()
    if let stage {
      let output = output.firstLine(of: outcomes.count)
      outcomes.append(.failure(.culprit(stage, ending, output: output)))
    } else if outcomes.isEmpty {
      let said = output.firstLine(of: nil).map { ": \($0)" } ?? ""
      throw ProbeStartError(text: "\(executable) \(ending) before it started\(said)")
    }
  }

  /// Reads what the child writes until it is done, ends, or is too late.
  private mutating func follow(_ child: inout PluginProcess) -> Rejection.Ending {
    let clock = ContinuousClock()
    // The child itself may have to be read from disk first.
    var deadline = clock.now + max(timeout, .seconds(10))
    while true {
      let left = clock.now.duration(to: deadline)
      guard left > .zero else { return .hang(seconds: timeout / .seconds(1)) }
      child.wait(atMost: left)
      // NB: whether it has ended is asked before its last words are read.
      let ending = child.ending()
      output.read(child.readOutput())
      if read(child.readReport()) { deadline = clock.now + timeout }
      if isOutOfTurn || messages.isGarbled { return .garbledReport }
      if isDone { return .exit(0) }
      if let ending { return ending }
    }
  }

  /// Takes in what arrived; true if the child got a step further.
  private mutating func read(_ report: [UInt8]) -> Bool {
    let arrived = messages.read(report)
    for message in arrived where !isOutOfTurn { isOutOfTurn = !take(message) }
    return !arrived.isEmpty
  }

  /// False if the message does not come at its turn.
  private mutating func take(_ message: ProbeMessage) -> Bool {
    switch message {
    case .opening(let index):
      guard index == outcomes.count else { return false }
      stage = .opening
    case .entering(let index):
      guard stage == .opening, index == outcomes.count else { return false }
      stage = .entry
    case .refused(let index, let refusal):
      guard index == outcomes.count else { return false }
      outcomes.append(.failure(Rejection.Reason(refusal)))
      stage = nil
    case .described(let index, let report):
      guard stage == .entry, index == outcomes.count else { return false }
      outcomes.append(.success(report))
      stage = nil
    case .done:
      isDone = true
    }
    return true
  }
}

/// The child cannot be started, or ends at once.
package struct ProbeStartError: Error {
  package let text: String
}

/// The first line that each plugin wrote to standard error.
struct ProbeOutput {
  private var lines: [Int?: String] = [:]
  private var current: Int?
  private var line: [UInt8] = []

  mutating func read(_ bytes: [UInt8]) {
    for byte in bytes {
      if byte == UInt8(ascii: "\n") { finish() } else if line.count < 300 { line.append(byte) }
    }
  }

  /// Ends the line in progress.
  mutating func finish() {
    defer { line.removeAll(keepingCapacity: true) }
    let text = String(decoding: line, as: UTF8.self)
    if text.hasPrefix(PluginProbe.outputMark) {
      current = Int(text.dropFirst(PluginProbe.outputMark.count))
    } else if text.contains(where: \.isLetter), lines[current] == nil {
      // A line without a letter, such as the rule above a sanitizer's report, says nothing.
      lines[current] = String(text.map { $0.unicodeScalars.allSatisfy { $0.value >= 32 } ? $0 : " " })
    }
  }

  /// What plugin `index` wrote first, or, for `nil`, what stood before all plugins.
  func firstLine(of index: Int?) -> String? { lines[index] }
}
