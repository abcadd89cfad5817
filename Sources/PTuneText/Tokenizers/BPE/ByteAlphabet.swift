import PTuneFormats

/// GPT-2's alphabet: a printable character for each byte, so that a vocabulary of bytes can be written as text.
///
/// Source: `bytes_to_unicode` of https://github.com/openai/gpt-2. Printable Latin-1 characters stand for themselves,
/// and the other bytes, in order, for U+0100 and on.
enum ByteAlphabet {
  /// The scalar of each byte.
  private static let scalars: [UInt32] = {
    var (scalars, next) = ([UInt32](), UInt32(0x100))
    for byte in UInt32(0)..<256 {
      let isPrintable =
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
      scalars.append(isPrintable ? byte : next)
      if !isPrintable { next += 1 }
    }
    return scalars
  }()

  /// The character of a byte.
  static func character(_ byte: Int) -> String {
    var bytes: [UInt8] = []
    UTF8Text.append(scalars[byte], to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The byte of each scalar below U+0144, or -1.
  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
    return bytes
  }()

  /// The bytes that a token stands for; nil when a character is not of the alphabet.
  static func bytes(of token: String) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(token.utf8.count)
    for scalar in token.unicodeScalars {
      guard scalar.value < 0x144, bytes[Int(scalar.value)] >= 0 else { return nil }
      result.append(UInt8(bytes[Int(scalar.value)]))
    }
    return result
  }

  /// The token of a byte in a vocabulary of characters: `<0x0A>`.
  static func fallbackName(_ byte: Int) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
  }
}
