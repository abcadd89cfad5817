import PTuneFormats

/// BERT's text clean-up, as `BertNormalizer` of Hugging Face `tokenizers` does it.
///
/// The four steps run in this order: control characters go and white space becomes a space; Chinese characters get
/// spaces around them; text is decomposed (NFD) and accents go; letters become lower case.
struct BertNormalizer: Equatable, Sendable {
  var cleansText = true
  var separatesIdeographs = true
  var stripsAccents = true
  var lowercases = true

  /// No clean-up at all.
  static let none = BertNormalizer(
    cleansText: false, separatesIdeographs: false, stripsAccents: false, lowercases: false)

  /// Normalizes `bytes[range]`; where characters came from counts from the beginning of `bytes`.
  func normalize(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> NormalizedText {
    var run = BertNormalizerRun(options: self, text: NormalizedText(capacity: range.count))
    run.normalize(bytes, range)
    return run.text
  }
}

/// The state of one pass.
private struct BertNormalizerRun {
  let options: BertNormalizer
  let classes = CharacterClasses.shared
  var text: NormalizedText
  /// Decomposed scalars that wait for the next starter, because marks after it may move before them.
  var pending: [(scalar: UInt32, combiningClass: UInt8, isInserted: Bool)] = []
  /// Where the scalars behind `pending` came from, those that no scalar has taken yet, in their order.
  var origins: [Range<Int32>] = []
  /// Where the scalar written last came from.
  var lastOrigin: Range<Int32> = 0..<0

  mutating func normalize(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    var position = range.lowerBound
    while position < range.upperBound {
      let byte = bytes[position]
      if byte < 0x80 {
        ascii(byte, position)
        position += 1
      } else {
        let (scalar, length, _) = UTF8Text.scalar(bytes, position)
        clean(scalar, from: Int32(position)..<Int32(position + length))
        position += length
      }
    }
    flush()
  }

  @inline(__always)
  private mutating func ascii(_ byte: UInt8, _ position: Int) {
    var byte = byte
    if byte < 0x20 || byte == 0x7F, options.cleansText {
      // NB: what is removed does not part the marks around it, so nothing is flushed.
      guard byte == 0x09 || byte == 0x0A || byte == 0x0D else { return }
      byte = 0x20
    }
    flush()
    if options.lowercases, byte &- 0x41 < 26 { byte |= 0x20 }
    text.append(ascii: byte, at: position)
  }

  private mutating func clean(_ scalar: UInt32, from origin: Range<Int32>) {
    let flags = classes.flags(scalar)
    if options.cleansText {
      if flags.contains(.removed) { return }
      if flags.contains(.whitespace) {
        flush()
        return text.append(0x20, from: origin)
      }
    }
    if options.separatesIdeographs, flags.contains(.ideograph) {
      flush()
      text.append(0x20, from: origin)
      decompose(scalar, flags, from: origin)
      flush()
      return text.append(0x20, from: origin)
    }
    decompose(scalar, flags, from: origin)
  }

  private mutating func decompose(_ scalar: UInt32, _ flags: CharacterFlags, from origin: Range<Int32>) {
    guard options.stripsAccents else { return write(scalar, flags, from: origin) }
    origins.append(origin)
    guard flags.contains(.decomposable) else { return order(scalar, flags, isInserted: false) }
    var isInserted = false
    classes.decompose(scalar) {
      order($0, classes.flags($0), isInserted: isInserted)
      isInserted = true
    }
  }

  /// Canonical ordering: marks sort by combining class up to the next starter.
  private mutating func order(_ scalar: UInt32, _ flags: CharacterFlags, isInserted: Bool) {
    if flags.contains(.combining) {
      pending.append((scalar, classes.combiningClass(scalar), isInserted))
    } else {
      writePending()
      pending.append((scalar, 0, isInserted))
    }
  }

  @inline(__always)
  private mutating func flush() {
    if !pending.isEmpty { writePending() }
  }

  /// Writes what waited. As in the reference, scalars take the origins in order and an inserted one shares that of
  /// the scalar before it, even where marks changed places.
  private mutating func writePending() {
    var taken = 0
    MarkOrder.sort(&pending, pending.indices) { $0.combiningClass }
    for (scalar, _, isInserted) in pending {
      if !isInserted {
        lastOrigin = origins[taken]
        taken += 1
      }
      let flags = classes.flags(scalar)
      if !flags.contains(.nonspacing) { write(scalar, flags, from: lastOrigin) }
    }
    pending.removeAll(keepingCapacity: true)
    origins.removeFirst(taken)
  }

  private mutating func write(_ scalar: UInt32, _ flags: CharacterFlags, from origin: Range<Int32>) {
    guard options.lowercases, flags.contains(.hasLowercase) else { return text.append(scalar, from: origin) }
    // NB: the one lower-case form of two scalars: i and a dot above.
    if scalar == 0x130 {
      text.append(0x69, from: origin)
      return text.append(0x307, from: origin)
    }
    text.append(classes.lowercase(scalar), from: origin)
  }
}
