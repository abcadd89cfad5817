import Testing

@testable import PTuneText

@Suite("Character tables")
struct CharacterClassesTests {
  @Test("every code point has the flags of the runs it lies in")
  func flags() {
    let classes = CharacterClasses.shared
    let tables: [(CharacterFlags, [UInt32])] = [
      (.removed, UnicodeTables.removed), (.whitespace, UnicodeTables.whitespace),
      (.ideograph, UnicodeTables.ideograph), (.nonspacing, UnicodeTables.nonspacing),
      (.punctuation, UnicodeTables.punctuation),
    ]
    for (flag, runs) in tables {
      var total = 0
      for index in stride(from: 0, to: runs.count, by: 2) {
        total += Int(runs[index + 1] - runs[index]) + 1
        for scalar in [runs[index], (runs[index] + runs[index + 1]) / 2, runs[index + 1]] {
          #expect(classes.flags(scalar).contains(flag))
        }
      }
      let found = (0..<UInt32(0x110000)).reduce(0) { $0 + (classes.flags($1).contains(flag) ? 1 : 0) }
      #expect(found == total)
    }
  }

  @Test(
    "lower case, with strides and distances of both signs",
    arguments: [
      (0x41, 0x61), (0x5A, 0x7A), (0x100, 0x101), (0x178, 0xFF), (0x139, 0x13A), (0x1C4, 0x1C6),
      (0x1E9E, 0xDF),
      (0x2126, 0x3C9), (0x10400, 0x10428), (0x13A0, 0xAB70), (0x10A0, 0x2D00),
    ])
  func lowercase(upper: UInt32, lower: UInt32) {
    #expect(CharacterClasses.shared.flags(upper).contains(.hasLowercase))
    #expect(CharacterClasses.shared.lowercase(upper) == lower)
  }

  @Test(
    "decompositions, those of Hangul by arithmetic",
    arguments: [
      (0xC0, [0x41, 0x300]), (0x1EC7, [0x65, 0x323, 0x302]), (0xAC00, [0x1100, 0x1161]),
      (0xAC01, [0x1100, 0x1161, 0x11A8]), (0xD7A3, [0x1112, 0x1175, 0x11C2]), (0x212B, [0x41, 0x30A]),
      (0x2FA1D, [0x2A600]),
    ] as [(UInt32, [UInt32])])
  func decompositions(scalar: UInt32, expected: [UInt32]) {
    var scalars: [UInt32] = []
    CharacterClasses.shared.decompose(scalar) { scalars.append($0) }
    #expect(CharacterClasses.shared.flags(scalar).contains(.decomposable))
    #expect(scalars == expected)
  }
}
