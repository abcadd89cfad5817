import PTuneFormats

/// Reads a unigram model out of `tokenizer.json`: `vocab` is a list of tokens and log probabilities, whose places are
/// the ids.
struct UnigramReader {
  let model: JSONNode

  func read() throws(TextError) -> UnigramModel {
    let node = try model.member("vocab")
    guard case .array(let entries) = node.value else { throw node.invalid("an array") }
    guard entries.count < Vocabulary.maximumID else {
      throw node.invalid("fewer than \(Vocabulary.maximumID) tokens")
    }
    var vocabulary = Vocabulary(bytes: entries.count * 6)
    var scores: [Double] = []
    for (id, entry) in entries.enumerated() {
      guard case .array(let pair) = entry, pair.count == 2, case .string(let token) = pair[0],
        let score = pair[1].doubleValue, score.isFinite
      else {
        throw .invalidValue(
          path: node.path, key: "\(node.key)[\(id)]", expected: "a token and its log probability")
      }
      vocabulary.add(token, id: Int32(id))
      scores.append(Self.asRead(score))
    }
    let unknown = try model["unk_id"].map { node throws(TextError) in
      let id = try node.tokenID()
      guard Int(id) < scores.count else { throw node.invalid("the place of a token of vocab") }
      return id
    }
    return UnigramModel(
      vocabulary: vocabulary, scores: scores, unknown: unknown,
      fallsBackToBytes: try model["byte_fallback"]?.bool() ?? false)
  }

  /// A number as the package `tokenizers` has it in the end: its digits, divided by a power of ten, which rounds twice and
  /// so may be the neighbour of the number that the file says. Of ways to spell a word that are as probable as each
  /// other ("a" + "aa" and "aa" + "a") nothing but such differences decides.
  static func asRead(_ number: Double) -> Double {
    // The shortest digits that mean this number, which are those of files that programs write: "12.5", "1e-05".
    var (digits, exponent, isFraction) = (UInt64(0), 0, false)
    let parts = "\(number.magnitude)".split(separator: "e")
    for byte in parts[0].utf8 {
      if byte == UInt8(ascii: ".") {
        isFraction = true
      } else {
        digits = digits * 10 + UInt64(byte - UInt8(ascii: "0"))
        if isFraction { exponent -= 1 }
      }
    }
    if parts.count > 1 { exponent += Int(parts[1]) ?? 0 }
    guard let power = Double("1e\(abs(exponent))"), power.isFinite else { return number }
    let magnitude = exponent < 0 ? Double(digits) / power : Double(digits) * power
    return number < 0 ? -magnitude : magnitude
  }
}
