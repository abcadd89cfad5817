import PTuneFormats

/// Runs a program over one text, in time that grows with the text alone, whatever the pattern.
///
/// It tries alternatives in their order and goes back where one fails, as Oniguruma does, which takes exponential time for
/// some patterns. So once a text has taken more steps than an ordinary pattern needs, the outcome of each choice at
/// each place is remembered: what follows from it depends on nothing else, because there are no back references.
struct RegexMatcher {
  private let program: RegexProgram
  private let bytes: UnsafeBufferPointer<UInt8>
  /// Alternatives not yet tried and, in between, choices whose outcome is to be remembered.
  private var stack: [Frame] = []
  private var outcomes: Outcomes?
  /// Where the last run of each `run` instruction began and ended, since a run inside it ends there, too.
  private var lastRuns: [Range<Int>]
  /// How many instructions were run and characters taken.
  private(set) var steps = 0
  private let patience: Int

  private struct Frame {
    /// An address or, negative, `-1 - choice`.
    let address: Int32
    let position: Int32
  }

  /// A matcher for a text of valid UTF-8 with less than 2^31 bytes.
  init(_ program: RegexProgram, _ bytes: UnsafeBufferPointer<UInt8>, patience: Int = 64) {
    self.program = program
    self.bytes = bytes
    lastRuns = Array(repeating: 0..<0, count: program.runs)
    self.patience = patience * (bytes.count + 64)
  }

  /// The first match that begins at `start` or later.
  mutating func firstMatch(from start: Int) -> Range<Int>? {
    var begin = start
    while begin <= bytes.count {
      if let end = match(at: begin) { return begin..<end }
      begin += begin < bytes.count ? UTF8Text.scalar(bytes, begin).length : 1
    }
    return nil
  }

  /// The end of the match that begins at `begin`.
  private mutating func match(at begin: Int) -> Int? {
    if outcomes == nil {
      let end = run(0, begin)
      if steps <= patience { return end }
      stack.removeAll(keepingCapacity: true)
      outcomes = Outcomes(choices: program.choices, count: bytes.count)
    }
    return run(0, begin)
  }

  private var isImpatient: Bool { outcomes == nil && steps > patience }

  /// Runs instructions up to an `accept` and returns where that is; nil where none is reached.
  private mutating func run(_ address: Int, _ begin: Int) -> Int? {
    let base = stack.count
    var (address, position) = (address, begin)
    while true {
      steps += 1
      if isImpatient { return nil }
      var isMatch = true
      switch program.instructions[address] {
      case .accept: return succeed(at: position, base)
      case .jump(let target):
        address = target
        continue
      case .split(let first, let second, let choice):
        if let known = outcomes?[choice, position] {
          if known >= 0 { return succeed(at: known, base) }
          isMatch = false
          break
        }
        if outcomes != nil { push(-1 - choice, position) }
        push(second, position)
        address = first
        continue
      case .set(let set):
        isMatch = takes(set, &position)
      case .run(let set, let least, let most, let memory):
        isMatch = takeRun(set, least, most, memory, &position)
      case .anchor(let anchor):
        isMatch = holds(anchor, position)
      case .back(let count):
        isMatch = goBack(count, &position)
      case .atomic(let end):
        if let matched = run(address + 1, position) { position = matched } else { isMatch = false }
        if isMatch { address = end - 1 }
      case .look(let end, let isNegative):
        isMatch = (run(address + 1, position) != nil) != isNegative
        if isMatch { address = end - 1 }
      }
      if isImpatient { return nil }
      if isMatch {
        address += 1
      } else {
        guard let next = goOn(base) else { return nil }
        (address, position) = next
      }
    }
  }

  private mutating func push(_ address: Int, _ position: Int) {
    stack.append(
      Frame(address: Int32(truncatingIfNeeded: address), position: Int32(truncatingIfNeeded: position)))
  }

  /// The alternative to try next. Choices passed on the way have led to nothing.
  private mutating func goOn(_ base: Int) -> (address: Int, position: Int)? {
    while stack.count > base {
      let frame = stack.removeLast()
      if frame.address >= 0 { return (Int(frame.address), Int(frame.position)) }
      outcomes?[-1 - Int(frame.address), Int(frame.position)] = -1
    }
    return nil
  }

  private mutating func succeed(at end: Int, _ base: Int) -> Int {
    while stack.count > base {
      let frame = stack.removeLast()
      if frame.address < 0 { outcomes?[-1 - Int(frame.address), Int(frame.position)] = end }
    }
    return end
  }
}

// MARK: - Instructions

extension RegexMatcher {
  @inline(__always)
  private func takes(_ set: Int, _ position: inout Int) -> Bool {
    guard position < bytes.count else { return false }
    let (scalar, length, _) = UTF8Text.scalar(bytes, position)
    guard program.sets[set].contains(scalar) else { return false }
    position += length
    return true
  }

  private mutating func takeRun(
    _ set: Int, _ least: Int, _ most: Int?, _ memory: Int, _ position: inout Int
  ) -> Bool {
    if most == nil, least <= 1, lastRuns[memory].contains(position) {
      position = lastRuns[memory].upperBound
      return true
    }
    var (end, count) = (position, 0)
    while count != most, takes(set, &end) { count += 1 }
    steps += count
    guard count >= least else { return false }
    if most == nil { lastRuns[memory] = position..<end }
    position = end
    return true
  }

  private func goBack(_ count: Int, _ position: inout Int) -> Bool {
    for _ in 0..<count {
      guard position > 0 else { return false }
      position -= 1
      while position > 0, bytes[position] & 0xC0 == 0x80 { position -= 1 }
    }
    return true
  }

  private func holds(_ anchor: RegexNode.Anchor, _ position: Int) -> Bool {
    switch anchor {
    case .textBegin: position == 0
    case .textEnd: position == bytes.count
    case .lastLineEnd: position == bytes.count || position == bytes.count - 1 && bytes[position] == 0x0A
    // NB: behind a line feed that ends the text no line begins.
    case .lineBegin: position == 0 || position < bytes.count && bytes[position - 1] == 0x0A
    case .lineEnd: position == bytes.count || bytes[position] == 0x0A
    case .wordBoundary: isBoundary(position)
    case .noWordBoundary: !isBoundary(position)
    }
  }

  private func isBoundary(_ position: Int) -> Bool {
    var before = position
    let isBehindWord = goBack(1, &before) && isWord(before)
    return isBehindWord != (position < bytes.count && isWord(position))
  }

  private func isWord(_ position: Int) -> Bool {
    ScalarSet.wordCharacters.contains(UTF8Text.scalar(bytes, position).scalar)
  }
}

/// What choices came to: for each and each place where a match ends, or -1 for none. Pages are made when they are needed.
private struct Outcomes {
  private static let page = 256
  private let choices: Int
  private var pages: [[Int32]?]

  init(choices: Int, count: Int) {
    self.choices = choices
    pages = Array(repeating: nil, count: count / Self.page + 1)
  }

  subscript(choice: Int, position: Int) -> Int? {
    get {
      guard let page = pages[position / Self.page] else { return nil }
      let value = page[choice * Self.page + position % Self.page]
      return value == .min ? nil : Int(value)
    }
    set {
      let index = position / Self.page
      if pages[index] == nil { pages[index] = Array(repeating: .min, count: choices * Self.page) }
      pages[index]?[choice * Self.page + position % Self.page] =
        newValue.map { Int32(truncatingIfNeeded: $0) } ?? .min
    }
  }
}
