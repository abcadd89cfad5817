import PTuneFormats

/// What a text goes through before it is cut into words.
protocol TextNormalizer {
  /// Normalizes `bytes[range]`; where characters came from counts from the beginning of `bytes`.
  func normalize(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> NormalizedText
}

extension BertNormalizer: TextNormalizer {}

/// One step of a normalizer.
enum NormalizerStep: Equatable, Sendable {
  case form(NormalizationForm)
  case lowercase
  /// Drops marks.
  case stripAccents
  /// Puts a text in front of one that is not empty.
  case prepend([UInt8])
  /// Replaces a text that is not empty by another.
  case replace([UInt8], with: [UInt8])
  /// Replaces each match of a pattern.
  case replaceMatches(RegularExpression, with: [UInt8])
  /// Replaces each run of two or more spaces.
  case replaceSpaces(with: [UInt8])
  /// Drops white space at the ends.
  case strip(left: Bool, right: Bool)
  /// SentencePiece's own map of characters.
  case precompiled(PrecompiledMap)
}

/// Steps that a text goes through one after the other.
struct NormalizerSteps: TextNormalizer, Equatable, Sendable {
  var steps: [NormalizerStep] = []

  /// Whether a quick look at the bytes shows that no step changes them.
  func leavesUnchanged(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
    if steps.isEmpty { return true }
    // NB: U+0300, the first character that composition touches, begins with 0xCC.
    var limit: UInt8 = 0xCC
    for step in steps {
      switch step {
      case .form(.composed): continue
      case .form, .stripAccents: limit = 0x80
      case .precompiled(let map):
        guard map.leavesUnchanged(bytes[range]) else { return false }
      case .replaceSpaces:
        guard !zip(bytes[range], bytes[range].dropFirst()).contains(where: { $0 == 0x20 && $1 == 0x20 })
        else {
          return false
        }
      case .lowercase, .prepend, .replace, .replaceMatches, .strip: return false
      }
    }
    return bytes[range].allSatisfy { $0 < limit }
  }

  func normalize(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> NormalizedText {
    steps.reduce(NormalizedText(bytes, range)) { $1.apply($0) }
  }
}

extension NormalizerStep {
  func apply(_ text: NormalizedText) -> NormalizedText {
    if text.bytes.isEmpty { return text }
    var result = NormalizedText(capacity: text.bytes.count + text.bytes.count / 4)
    switch self {
    case .form(let form): return form.apply(text)
    case .lowercase: lowercase(text, &result)
    case .stripAccents:
      text.forEachScalar { scalar, origin in
        if !WordClasses.shared[scalar].contains(.mark) { result.append(scalar, from: origin) }
      }
    case .prepend(let prefix):
      result.append(prefix, from: text.origin(0))
      for position in text.bytes.indices {
        result.append(byte: text.bytes[position], from: text.origin(position))
      }
    case .replace(let old, let new): replace(text, old, new, &result)
    case .replaceMatches(let expression, let new): replaceMatches(text, expression, new, &result)
    case .replaceSpaces(let new): replaceSpaces(text, new, &result)
    case .strip(let left, let right): strip(text, left, right, &result)
    case .precompiled(let map): return map.apply(text)
    }
    return result
  }

  private func replaceMatches(
    _ text: NormalizedText, _ expression: RegularExpression, _ new: [UInt8], _ result: inout NormalizedText
  ) {
    var position = 0
    func keep(until end: Int) {
      while position < end {
        result.append(byte: text.bytes[position], from: text.origin(position))
        position += 1
      }
    }
    text.bytes.withUnsafeBufferPointer { bytes in
      expression.matches(bytes) { match in
        keep(until: match.lowerBound)
        // NB: as in the reference, the new text comes from the last character of the old.
        result.append(new, from: text.origin(max(match.upperBound - 1, 0)))
        position = match.upperBound
      }
    }
    keep(until: text.bytes.count)
  }

  private func replaceSpaces(_ text: NormalizedText, _ new: [UInt8], _ result: inout NormalizedText) {
    var position = 0
    while position < text.bytes.count {
      var end = position
      while end < text.bytes.count, text.bytes[end] == 0x20 { end += 1 }
      if end - position > 1 {
        // NB: as in the reference, the new text comes from the last character of the old.
        result.append(new, from: text.origin(end - 1))
      } else {
        end = position + 1
        result.append(byte: text.bytes[position], from: text.origin(position))
      }
      position = end
    }
  }

  private func strip(_ text: NormalizedText, _ left: Bool, _ right: Bool, _ result: inout NormalizedText) {
    var places: [(begin: Int, end: Int, isSpace: Bool)] = []
    text.bytes.withUnsafeBufferPointer { bytes in
      var position = 0
      while position < bytes.count {
        let (kind, length) = WordClasses.shared.read(bytes, position)
        places.append((position, position + length, kind.contains(.space)))
        position += length
      }
    }
    let first = left ? places.firstIndex { !$0.isSpace } : places.startIndex
    let last = right ? places.lastIndex { !$0.isSpace } : places.indices.last
    guard let first, let last, first <= last else { return }
    for position in places[first].begin..<places[last].end {
      result.append(byte: text.bytes[position], from: text.origin(position))
    }
  }

  private func lowercase(_ text: NormalizedText, _ result: inout NormalizedText) {
    let classes = CharacterClasses.shared
    text.forEachScalar { scalar, origin in
      if !classes.flags(scalar).contains(.hasLowercase) {
        result.append(scalar, from: origin)
      } else if scalar == 0x130 {
        // NB: the one lower-case form of two scalars: i and a dot above.
        result.append(0x69, from: origin)
        result.append(0x307, from: origin)
      } else {
        result.append(classes.lowercase(scalar), from: origin)
      }
    }
  }

  private func replace(
    _ text: NormalizedText, _ old: [UInt8], _ new: [UInt8], _ result: inout NormalizedText
  ) {
    var position = 0
    while position < text.bytes.count {
      if text.bytes[position] == old[0], text.bytes[position...].starts(with: old) {
        // NB: as in the reference, the new text comes from the last character of the old.
        result.append(new, from: text.origin(position + old.count - 1))
        position += old.count
      } else {
        result.append(byte: text.bytes[position], from: text.origin(position))
        position += 1
      }
    }
  }
}

extension NormalizedText {
  /// Hands over each scalar and where it came from.
  func forEachScalar(_ body: (UInt32, Range<Int32>) -> Void) {
    bytes.withUnsafeBufferPointer { buffer in
      var position = 0
      while position < buffer.count {
        let (scalar, length, _) = UTF8Text.scalar(buffer, position)
        body(scalar, origin(position))
        position += length
      }
    }
  }
}
