/// How many cells of a terminal a text takes: two for the wide characters of East Asian scripts and for emoji, none
/// for marks that combine with the character before and for what is invisible.
///
/// The wide ranges are those of Unicode's EastAsianWidth.txt, classes W and F, in round blocks.
public func displayWidth(_ text: String) -> Int {
  text.reduce(0) { $0 + width(of: $1) }
}

private func width(of character: Character) -> Int {
  let scalars = character.unicodeScalars
  // The variation selector 16 asks for the emoji form of a character that also has a narrow one.
  if scalars.contains(where: { $0.value == 0xFE0F }) { return 2 }
  return scalars.reduce(0) { max($0, width(of: $1)) }
}

private func width(of scalar: Unicode.Scalar) -> Int {
  if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F ? 0 : 1 }
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark, .format, .control: return 0
  default: return wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
  }
}

private let wideRanges: [ClosedRange<UInt32>] = [
  0x1100...0x115F,  // Hangul Jamo
  0x2E80...0x303E,  // CJK radicals and punctuation
  0x3041...0xA4CF,  // kana, CJK ideographs, Yi
  0xA960...0xA97F,  // Hangul Jamo extended A
  0xAC00...0xD7A3,  // Hangul syllables
  0xF900...0xFAFF,  // CJK compatibility ideographs
  0xFE30...0xFE6F,  // CJK compatibility forms
  0xFF00...0xFF60, 0xFFE0...0xFFE6,  // full-width forms
  0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,  // emoji
  0x20000...0x3FFFD,  // further ideographs
]
