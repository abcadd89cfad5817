/// Cuts a template into texts and tags, and tags into tokens, with the white space that Hugging Face's settings take away
/// (`trim_blocks`, `lstrip_blocks`).
struct JinjaLexer {
  enum Token: Equatable {
    case text(String)
    case blockBegin, blockEnd, printBegin, printEnd
    case name(String)
    case string(String)
    case int(Int)
    case double(Double)
    case symbol(String)
  }

  struct Place {
    let token: Token
    let line: Int
  }

  private let source: [Unicode.Scalar]
  private var position = 0
  private var line = 1
  private(set) var tokens: [Place] = []

  /// Cuts a template. Throws `JinjaError`.
  static func tokens(of template: String) throws(JinjaError) -> [Place] {
    var lexer = JinjaLexer(template)
    try lexer.run()
    return lexer.tokens
  }

  private init(_ template: String) {
    var scalars: [Unicode.Scalar] = []
    for scalar in template.unicodeScalars {
      if scalar == "\n", scalars.last == "\r" { scalars.removeLast() }
      scalars.append(scalar)
    }
    scalars = scalars.map { $0 == "\r" ? "\n" : $0 }
    if scalars.last == "\n" { scalars.removeLast() }
    source = scalars
  }

  private func at(_ offset: Int) -> Unicode.Scalar? {
    position + offset < source.count ? source[position + offset] : nil
  }

  private func looking(at text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    return position + wanted.count <= source.count
      && source[position..<position + wanted.count].elementsEqual(wanted)
  }

  private mutating func advance(_ count: Int) {
    for scalar in source[position..<position + count] where scalar == "\n" { line += 1 }
    position += count
  }

  private mutating func put(_ token: Token) { tokens.append(Place(token: token, line: line)) }

  private mutating func run() throws(JinjaError) {
    var startsLine = true
    while position < source.count {
      let begin = position
      while position < source.count, !["{{", "{%", "{#"].contains(where: looking) { advance(1) }
      var text = source[begin..<position]
      guard position < source.count else {
        if !text.isEmpty { put(.text(Self.string(text))) }
        return
      }
      let isPrint = looking(at: "{{")
      let sign = at(2)
      if sign == "-" {
        while let last = text.last, last.properties.isWhitespace { text.removeLast() }
      } else if sign != "+", !isPrint {
        let begin = text.lastIndex(of: "\n").map { $0 + 1 } ?? text.startIndex
        if begin > text.startIndex || startsLine, text[begin...].allSatisfy({ $0.properties.isWhitespace }) {
          text = text[..<begin]
        }
      }
      if !text.isEmpty { put(.text(Self.string(text))) }
      let isComment = looking(at: "{#")
      advance(sign == "-" || sign == "+" && !isPrint ? 3 : 2)
      if isComment { try comment() } else { try tag(isPrint: isPrint) }
      startsLine = position > 0 && source[position - 1] == "\n"
    }
  }

  private static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  private mutating func comment() throws(JinjaError) {
    let begin = line
    while position < source.count {
      if looking(at: "-#}") { return close(3, strips: true, trims: false) }
      if looking(at: "#}") { return close(2, strips: false, trims: true) }
      advance(1)
    }
    throw JinjaError("a comment has no end", line: begin)
  }

  /// Passes over the end of a tag and the white space behind it that it takes along.
  private mutating func close(_ count: Int, strips: Bool, trims: Bool) {
    advance(count)
    if strips {
      while let next = at(0), next.properties.isWhitespace { advance(1) }
    } else if trims, at(0) == "\n" {
      advance(1)
    }
  }

  private mutating func tag(isPrint: Bool) throws(JinjaError) {
    let begin = line
    put(isPrint ? .printBegin : .blockBegin)
    let end = isPrint ? "}}" : "%}"
    var depth = 0
    while position < source.count {
      if depth == 0 {
        for sign in ["-", "+", ""] where looking(at: sign + end) {
          put(isPrint ? .printEnd : .blockEnd)
          return close(sign.count + 2, strips: sign == "-", trims: !isPrint && sign.isEmpty)
        }
      }
      guard let next = at(0) else { break }
      if next.properties.isWhitespace {
        advance(1)
      } else if next == "'" || next == "\"" {
        try quoted(next)
      } else if ("0"..."9").contains(next) {
        try number()
      } else if next == "_" || next.properties.isAlphabetic {
        let start = position
        while let next = at(0), next == "_" || next.properties.isAlphabetic || ("0"..."9").contains(next) {
          advance(1)
        }
        put(.name(Self.string(source[start..<position])))
      } else {
        if "([{".unicodeScalars.contains(next) { depth += 1 }
        if ")]}".unicodeScalars.contains(next) { depth -= 1 }
        try symbol()
      }
    }
    throw JinjaError("a tag has no end", line: begin)
  }

  private mutating func symbol() throws(JinjaError) {
    let symbols = [
      "==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]",
      "{", "}",
      ",", ".", ":", "|",
    ]
    guard let found = symbols.first(where: looking) else {
      throw JinjaError("'\(source[position])' is unexpected", line: line)
    }
    put(.symbol(found))
    advance(found.count)
  }

  private mutating func number() throws(JinjaError) {
    let start = position
    while let next = at(0), ("0"..."9").contains(next) { advance(1) }
    if at(0) == ".", let next = at(1), ("0"..."9").contains(next) {
      advance(1)
      while let next = at(0), ("0"..."9").contains(next) { advance(1) }
      return put(.double(Double(Self.string(source[start..<position])) ?? 0))
    }
    guard let value = Int(Self.string(source[start..<position])) else {
      throw JinjaError("a number is too large", line: line)
    }
    put(.int(value))
  }

  private mutating func quoted(_ quote: Unicode.Scalar) throws(JinjaError) {
    let begin = line
    advance(1)
    var text = String.UnicodeScalarView()
    while let next = at(0) {
      advance(1)
      if next == quote { return put(.string(String(text))) }
      guard next == "\\", let escaped = at(0) else {
        text.append(next)
        continue
      }
      advance(1)
      switch escaped {
      case "n": text.append("\n")
      case "t": text.append("\t")
      case "r": text.append("\r")
      case "\\", "'", "\"": text.append(escaped)
      case "u", "x":
        let count = escaped == "u" ? 4 : 2
        let digits = Self.string(source[position..<Swift.min(position + count, source.count)])
        guard digits.count == count, let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code)
        else {
          throw JinjaError("'\\\(escaped)\(digits)' is no character", line: line)
        }
        text.append(scalar)
        advance(count)
      default:
        text.append("\\")
        text.append(escaped)
      }
    }
    throw JinjaError("a string has no end", line: begin)
  }
}
