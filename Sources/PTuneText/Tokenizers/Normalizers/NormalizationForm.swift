/// The four Unicode normalization forms (Unicode Standard Annex 15), with the reference's Unicode version.
enum NormalizationForm: Equatable, Sendable {
  /// NFD.
  case decomposed
  /// NFC.
  case composed
  /// NFKD.
  case compatibilityDecomposed
  /// NFKC.
  case compatibilityComposed

  /// The text in this form.
  func apply(_ text: NormalizedText) -> NormalizedText {
    if text.bytes.allSatisfy({ $0 < 0x80 }) { return text }
    let isCompatibility = self == .compatibilityDecomposed || self == .compatibilityComposed
    let composes = self == .composed || self == .compatibilityComposed
    var scalars = Decomposition(isCompatibility: isCompatibility).scalars(of: text)
    if composes { Composition.shared.compose(&scalars) }
    var origins: [Range<Int32>] = []
    text.forEachScalar { origins.append($1) }
    var result = NormalizedText(capacity: text.bytes.count + 16)
    // NB: as in the reference, scalars take the origins in order, even where marks changed places or were composed
    // over others.
    var taken = 0
    for scalar in scalars {
      result.append(scalar.value, from: origins[scalar.taken == 0 ? Swift.max(taken - 1, 0) : taken])
      taken += scalar.taken
    }
    return result
  }
}

/// A scalar of a text that is being normalized.
struct FormScalar {
  var value: UInt32
  var combiningClass: UInt8
  /// How many scalars of the text it stands for: none when it is one of several that a single one was decomposed to,
  /// but for the first.
  var taken: Int
}

/// Full decomposition and canonical ordering.
private struct Decomposition {
  let isCompatibility: Bool
  private let classes = CharacterClasses.shared

  init(isCompatibility: Bool) { self.isCompatibility = isCompatibility }

  func scalars(of text: NormalizedText) -> [FormScalar] {
    var scalars: [FormScalar] = []
    scalars.reserveCapacity(text.bytes.count)
    text.forEachScalar { scalar, _ in
      var taken = 1
      decompose(scalar) { value in
        let isMark = classes.flags(value).contains(.combining)
        scalars.append(
          FormScalar(value: value, combiningClass: isMark ? classes.combiningClass(value) : 0, taken: taken))
        taken = 0
      }
    }
    // Marks sort by combining class up to the next starter.
    var start = 0
    for index in scalars.indices where scalars[index].combiningClass == 0 {
      MarkOrder.sort(&scalars, start..<index) { $0.combiningClass }
      start = index + 1
    }
    MarkOrder.sort(&scalars, start..<scalars.count) { $0.combiningClass }
    return scalars
  }

  private func decompose(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    if scalar < 0x80 { return body(scalar) }
    if isCompatibility {
      let further = Composition.shared.compatibility[scalar]
      if !further.isEmpty { return further.forEach(body) }
    }
    if classes.flags(scalar).contains(.decomposable) {
      classes.decompose(scalar, body)
    } else {
      body(scalar)
    }
  }
}

/// Canonical composition, and the compatibility decompositions; the tables are built when first used.
struct Composition: Sendable {
  static let shared = Composition()

  /// What NFKD decomposes otherwise than NFD.
  let compatibility = ScalarMapping(CompatibilityTables.decompositions)
  /// Composed scalars by `first << 32 | second`.
  private var composed: [UInt64: UInt32] = [:]

  private init() {
    var excluded = Set<UInt32>()
    for index in stride(from: 0, to: CompatibilityTables.excluded.count, by: 2) {
      excluded.formUnion(CompatibilityTables.excluded[index]...CompatibilityTables.excluded[index + 1])
    }
    let mapping = CharacterClasses.shared.decompositions
    let composable = mapping.scalars.filter { !excluded.contains($0) && mapping[$0].count > 1 }
    // NB: what decomposes to three composes from two: a shorter one, already known, and the last.
    for scalar in composable.sorted(by: { (mapping[$0].count, $0) < (mapping[$1].count, $1) }) {
      let parts = mapping[scalar]
      var first = parts[parts.startIndex]
      for part in parts.dropFirst().dropLast() { first = composed[Self.key(first, part)] ?? first }
      composed[Self.key(first, parts[parts.endIndex - 1])] = scalar
    }
  }

  /// Composes decomposed scalars.
  func compose(_ scalars: inout [FormScalar]) {
    var kept = 0
    /// The last starter among those kept.
    var starter: Int?
    for index in scalars.indices {
      let scalar = scalars[index]
      if let place = starter {
        // NB: blocked by a mark between of the same or a higher class, or by a starter between.
        let isAdjacent = kept - 1 == place
        let last = scalars[kept - 1].combiningClass
        if isAdjacent || last != 0 && last < scalar.combiningClass,
          let value = compose(scalars[place].value, scalar.value)
        {
          scalars[place].value = value
          scalars[place].taken += scalar.taken
          continue
        }
      }
      scalars[kept] = scalar
      if scalar.combiningClass == 0 { starter = kept }
      kept += 1
    }
    scalars.removeLast(scalars.count - kept)
  }

  private func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if (0x1100..<0x1113).contains(first), (0x1161..<0x1176).contains(second) {
      return 0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28
    }
    if (0xAC00...0xD7A3).contains(first), (first - 0xAC00) % 28 == 0, (0x11A8..<0x11C3).contains(second) {
      return first + second - 0x11A7
    }
    return composed[Self.key(first, second)]
  }

  private static func key(_ first: UInt32, _ second: UInt32) -> UInt64 {
    UInt64(first) << 32 | UInt64(second)
  }
}
