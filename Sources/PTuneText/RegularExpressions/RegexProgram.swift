/// A regular expression as instructions for ``RegexMatcher``.
struct RegexProgram: Equatable, Sendable {
  /// One instruction; addresses are indices of instructions.
  enum Instruction: Equatable, Sendable {
    /// Takes a character of a set.
    case set(Int)
    /// Takes characters of a set for as long as they come, at most so many, and gives none back.
    case run(Int, least: Int, most: Int?, memory: Int)
    /// Goes on at the first address and, if that leads to no match, at the second. `choice` numbers these instructions.
    case split(Int, Int, choice: Int)
    case jump(Int)
    case anchor(RegexNode.Anchor)
    /// Goes back so many characters.
    case back(Int)
    /// Runs what follows up to its `accept` and goes on at `end` behind its first match.
    case atomic(end: Int)
    /// Runs what follows up to its `accept`, and goes on at `end` where it began if that matched or, negated, did not.
    case look(end: Int, isNegative: Bool)
    case accept
  }

  private(set) var instructions: [Instruction] = []
  private(set) var sets: [ScalarSet] = []
  /// How many `split` instructions there are.
  private(set) var choices = 0
  /// How many `run` instructions there are.
  private(set) var runs = 0

  /// How many instructions a program may have: repetitions by count are written out.
  static let largest = 50_000
  /// How many choices it may have: their outcomes may have to be remembered for each place of a text.
  static let mostChoices = 500

  /// Compiles a regular expression.
  ///
  /// - Throws: ``RegexError`` for one too large, or with an unlimited repetition of what may match nothing.
  init(_ node: RegexNode) throws(RegexError) {
    try append(node)
    try append(.accept)
  }

  private mutating func append(_ instruction: Instruction) throws(RegexError) {
    guard instructions.count < Self.largest else {
      throw RegexError(reason: "needs more than \(Self.largest) instructions", column: 1)
    }
    instructions.append(instruction)
  }

  private mutating func append(_ node: RegexNode) throws(RegexError) {
    switch node {
    case .set(let set): try append(.set(index(of: set)))
    case .sequence(let nodes): for node in nodes { try append(node) }
    case .alternatives(let nodes): try appendAlternatives(nodes)
    case .repeated(let node, let least, let most, let greed): try appendRepetition(node, least, most, greed)
    case .atomic(let node): try appendGroup(node) { .atomic(end: $0) }
    case .lookahead(let node, let isNegative):
      try appendGroup(node) { .look(end: $0, isNegative: isNegative) }
    case .lookbehind(let node, let isNegative):
      try appendGroup(node, { .look(end: $0, isNegative: isNegative) }, isBehind: true)
    case .anchor(let anchor): try append(Instruction.anchor(anchor))
    }
  }

  private mutating func index(of set: ScalarSet) -> Int {
    if let known = sets.firstIndex(of: set) { return known }
    sets.append(set)
    return sets.count - 1
  }

  private mutating func appendAlternatives(
    _ nodes: [RegexNode], isBehind: Bool = false
  ) throws(RegexError) {
    var jumps: [Int] = []
    for (number, node) in nodes.enumerated() {
      let split = instructions.count
      let isLast = number == nodes.count - 1
      if !isLast { try append(.accept) }
      if isBehind { try append(.back(node.length ?? 0)) }
      try append(node)
      guard !isLast else { break }
      jumps.append(instructions.count)
      try append(.accept)
      try setSplit(split, split + 1, instructions.count)
    }
    for jump in jumps { instructions[jump] = .jump(instructions.count) }
  }

  private mutating func setSplit(_ address: Int, _ first: Int, _ second: Int) throws(RegexError) {
    guard choices < Self.mostChoices else {
      throw RegexError(reason: "has more than \(Self.mostChoices) alternatives and repetitions", column: 1)
    }
    instructions[address] = .split(first, second, choice: choices)
    choices += 1
  }

  private mutating func appendGroup(
    _ node: RegexNode, _ instruction: (Int) -> Instruction, isBehind: Bool = false
  ) throws(RegexError) {
    let address = instructions.count
    try append(.accept)
    if isBehind {
      let alternatives = if case .alternatives(let nodes) = node { nodes } else { [node] }
      try appendAlternatives(alternatives, isBehind: true)
    } else {
      try append(node)
    }
    try append(.accept)
    instructions[address] = instruction(instructions.count)
  }

  private mutating func appendRepetition(
    _ node: RegexNode, _ least: Int, _ most: Int?, _ greed: RegexNode.Greed
  ) throws(RegexError) {
    guard most != nil || !node.isNullable else {
      throw RegexError(reason: "repeats without a limit what may match nothing", column: 1)
    }
    if greed == .possessive {
      if case .set(let set) = node {
        try append(.run(index(of: set), least: least, most: most, memory: runs))
        runs += 1
        return
      }
      return try append(.atomic(.repeated(node, least: least, most: most, .greedy)))
    }
    for _ in 0..<least { try append(node) }
    if let most {
      // Each further one is tried within the one before: a(a(a)?)?.
      var splits: [Int] = []
      for _ in least..<most {
        splits.append(instructions.count)
        try append(.accept)
        try append(node)
      }
      for split in splits { try setSplit(split, to: split + 1, or: instructions.count, greed) }
    } else {
      let split = instructions.count
      try append(.accept)
      try append(node)
      try append(.jump(split))
      try setSplit(split, to: split + 1, or: instructions.count, greed)
    }
  }

  private mutating func setSplit(
    _ address: Int, to body: Int, or rest: Int, _ greed: RegexNode.Greed
  ) throws(RegexError) {
    if greed == .lazy { try setSplit(address, rest, body) } else { try setSplit(address, body, rest) }
  }
}
