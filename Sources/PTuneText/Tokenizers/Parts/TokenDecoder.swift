import PTuneFormats

/// Puts tokens together again in steps, as the decoders of Hugging Face `tokenizers` do.
// NB: works on bytes, because to Swift's strings "▁" before a combining mark is not "▁".
struct TokenDecoder: Equatable, Sendable {
  /// One step, from tokens to tokens.
  enum Step: Equatable, Sendable {
    /// Joins tokens of GPT-2's alphabet to bytes, and those to text.
    case byteLevel
    /// `▁` is a space; in the first token it goes, where it was put there.
    case metaspace(replacement: [UInt8], dropsFirst: Bool)
    /// Joins neighbouring `<0xXX>` to text.
    case byteFallback
    /// Joins all tokens.
    case fuse
    /// Takes at most so many of a character off both ends of each token.
    case strip([UInt8], start: Int, stop: Int)
    case replace(TextPattern, with: [UInt8])
  }

  var steps: [Step] = []

  func decode(_ tokens: [String]) -> String {
    let result = steps.reduce(tokens.map { Array($0.utf8) }) { $1.apply($0) }
    return String(decoding: result.joined(), as: UTF8.self)
  }
}

extension TokenDecoder.Step {
  fileprivate func apply(_ tokens: [[UInt8]]) -> [[UInt8]] {
    switch self {
    case .byteLevel:
      [repaired(tokens.flatMap { ByteAlphabet.bytes(of: String(decoding: $0, as: UTF8.self)) ?? $0 })]
    case .metaspace(let replacement, let dropsFirst):
      tokens.enumerated().map { index, token in
        token.replacing(replacement, with: index == 0 && dropsFirst ? [] : [0x20])
      }
    case .byteFallback: byteFallback(tokens)
    case .fuse: [Array(tokens.joined())]
    case .strip(let character, let start, let stop): tokens.map { stripped($0, character, start, stop) }
    case .replace(let pattern, let new): tokens.map { replaced($0, pattern, new) }
    }
  }

  /// Malformed bytes become U+FFFD.
  private func repaired(_ bytes: [UInt8]) -> [UInt8] { Array(String(decoding: bytes, as: UTF8.self).utf8) }

  private func byteFallback(_ tokens: [[UInt8]]) -> [[UInt8]] {
    var (result, bytes) = ([[UInt8]](), [UInt8]())
    let flush = {
      guard !bytes.isEmpty else { return }
      let isValid = bytes.withUnsafeBufferPointer { UTF8Text.firstInvalid($0) == nil }
      result.append(isValid ? bytes : bytes.flatMap { _ in [0xEF, 0xBF, 0xBD] })
      bytes.removeAll()
    }
    for token in tokens {
      if let byte = Self.byte(token) {
        bytes.append(byte)
      } else {
        flush()
        result.append(token)
      }
    }
    flush()
    return result
  }

  /// The byte of `<0xXX>`.
  private static func byte(_ token: [UInt8]) -> UInt8? {
    guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else { return nil }
    return UInt8(String(decoding: token[3...4], as: UTF8.self), radix: 16)
  }

  private func replaced(_ token: [UInt8], _ pattern: TextPattern, _ new: [UInt8]) -> [UInt8] {
    var (result, position) = ([UInt8](), 0)
    token.withUnsafeBufferPointer { bytes in
      pattern.matches(bytes) { match in
        result += token[position..<match.lowerBound] + new
        position = match.upperBound
      }
    }
    return result + token[position...]
  }

  private func stripped(_ token: [UInt8], _ character: [UInt8], _ start: Int, _ stop: Int) -> [UInt8] {
    var rest = token[...]
    for _ in 0..<start {
      guard rest.starts(with: character) else { break }
      rest = rest.dropFirst(character.count)
    }
    for _ in 0..<stop {
      guard rest.suffix(character.count).elementsEqual(character) else { break }
      rest = rest.dropLast(character.count)
    }
    return Array(rest)
  }
}
