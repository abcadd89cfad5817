import PTuneLibc

/// BLEU of a corpus (Papineni et al. 2002, https://aclanthology.org/P02-1040), from 0 to 100, as sacrebleu computes it by
/// default (Post 2018, https://aclanthology.org/W18-6319): tokenised as mteval-v13a does, exponential smoothing, the
/// closest reference's length.
struct BLEU {
  private static let order = 4
  private var correct = [Int](repeating: 0, count: order)
  private var total = [Int](repeating: 0, count: order)
  private var (length, referenceLength) = (0, 0)

  /// Adds a text and what it might have been.
  mutating func add(_ text: String, references: [String]) {
    let words = Tokenizer13a.words(text)
    let known = references.map { Tokenizer13a.words($0) }
    length += words.count
    // The closest length, of two the shorter.
    referenceLength +=
      known.map(\.count).min { (abs($0 - words.count), $0) < (abs($1 - words.count), $1) } ?? 0
    for n in 1...Self.order {
      let own = Self.counts(words, n)
      var most: [ArraySlice<String>: Int] = [:]
      for reference in known { most.merge(Self.counts(reference, n)) { max($0, $1) } }
      for (gram, count) in own {
        total[n - 1] += count
        correct[n - 1] += min(count, most[gram] ?? 0)
      }
    }
  }

  private static func counts(_ words: [String], _ n: Int) -> [ArraySlice<String>: Int] {
    guard words.count >= n else { return [:] }
    return (0...words.count - n).reduce(into: [:]) { $0[words[$1..<$1 + n], default: 0] += 1 }
  }

  /// The score of all that was added.
  var score: Double {
    guard correct.contains(where: { $0 > 0 }), !total.contains(0) else { return 0 }
    var (smoothing, sum) = (1.0, 0.0)
    for n in 0..<Self.order {
      if correct[n] == 0 {
        smoothing *= 2
        sum += log(100 / (smoothing * Double(total[n])))
      } else {
        sum += log(100 * Double(correct[n]) / Double(total[n]))
      }
    }
    let brevity = length < referenceLength ? exp(1 - Double(referenceLength) / Double(length)) : 1
    return brevity * exp(sum / Double(Self.order))
  }
}

/// The tokenisation of mteval-v13a: punctuation apart, but not points and commas within numbers.
enum Tokenizer13a {
  static func words(_ text: String) -> [String] {
    var scalars = [" "] + replaced(text) + [" "]
    scalars = scalars.flatMap { isPunctuation($0) ? [" ", $0, " "] : [$0] }
    // A point or a comma unless behind a digit, then unless before one; each takes its neighbour along, so that of
    // two in a row the second is seen only by the other rule.
    scalars = pairs(scalars, { !isDigit($0) }, isPointOrComma) { [$0, " ", $1, " "] }
    scalars = pairs(scalars, isPointOrComma, { !isDigit($0) }) { [" ", $0, " ", $1] }
    scalars = pairs(scalars, isDigit, { $0 == "-" }) { [$0, " ", $1, " "] }
    return scalars.split { $0.properties.isWhitespace }.map { word in
      var text = String.UnicodeScalarView()
      text.append(contentsOf: word)
      return String(text)
    }
  }

  private static func replaced(_ text: String) -> [Scalar] {
    // Blanks at the end go first, a line end among them.
    var trimmed = Array(text.unicodeScalars)
    while let last = trimmed.last, last.properties.isWhitespace { trimmed.removeLast() }
    var result = trimmed
    let replacements = [
      ("<skipped>", ""), ("-\n", ""), ("\n", " "), ("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"),
      ("&gt;", ">"),
    ]
    for (old, new) in replacements { result = replacing(Array(old.unicodeScalars), in: result, with: new) }
    return result
  }

  /// By code points, as Python does: a line end is one even beside another, or with what combines with it behind.
  private static func replacing(_ old: [Scalar], in scalars: [Scalar], with new: String) -> [Scalar] {
    var (result, index) = ([Scalar](), 0)
    while index < scalars.count {
      if scalars[index...].starts(with: old) {
        result += new.unicodeScalars
        index += old.count
      } else {
        result.append(scalars[index])
        index += 1
      }
    }
    return result
  }

  private typealias Scalar = Unicode.Scalar

  /// Replaces pairs of neighbours from left to right.
  private static func pairs(
    _ scalars: [Scalar], _ first: (Scalar) -> Bool, _ second: (Scalar) -> Bool,
    _ replacement: (Scalar, Scalar) -> [Scalar]
  ) -> [Scalar] {
    var (result, index) = ([Scalar](), 0)
    while index < scalars.count {
      if index + 1 < scalars.count, first(scalars[index]), second(scalars[index + 1]) {
        result += replacement(scalars[index], scalars[index + 1])
        index += 2
      } else {
        result.append(scalars[index])
        index += 1
      }
    }
    return result
  }

  private static func isDigit(_ scalar: Scalar) -> Bool { ("0"..."9").contains(scalar) }
  private static func isPointOrComma(_ scalar: Scalar) -> Bool { scalar == "." || scalar == "," }
  private static func isPunctuation(_ scalar: Scalar) -> Bool {
    ["{"..."~", "["..."`", " "..."&", "("..."+", ":"..."@", "/"..."/"].contains { $0.contains(scalar) }
  }
}
