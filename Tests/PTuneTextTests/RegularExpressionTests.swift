import Foundation
import Testing

@testable import PTuneText

@Suite("Regular expressions of tokenizers")
struct RegularExpressionTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "Fixtures/regex")

  private static func lines(_ name: String) throws -> [[Any]] {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8).split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [Any])
    }
  }

  private static func texts() throws -> [String] {
    try JSONDecoder().decode([String].self, from: Data(contentsOf: folder.appending(path: "texts.json")))
  }

  private static func matches(_ expression: RegularExpression, _ text: String) -> [[Int]] {
    var (text, found) = (text, [[Int]]())
    text.withUTF8 { bytes in
      expression.matches(bytes) { if !$0.isEmpty { found.append([$0.lowerBound, $0.upperBound]) } }
    }
    return found
  }

  /// What the package takes and this engine refuses, saying why.
  private static let unsupported = [
    "a{3,2}": "repeats at least 3 but at most 2 times",
    "(?<=a+)b": "looks behind for something of no fixed length",
  ]

  @Test("match where the package `tokenizers` finds them, and are refused where it refuses them")
  func matches() throws {
    let texts = try Self.texts()
    for line in try Self.lines("patterns.jsonl") {
      let pattern = try #require(line[0] as? String)
      guard let places = line[1] as? [[[Int]]] else {
        #expect(throws: RegexError.self, "\(pattern)") { try RegularExpression(pattern) }
        continue
      }
      do throws(RegexError) {
        let expression = try RegularExpression(pattern)
        for (text, expected) in zip(texts, places) {
          #expect(Self.matches(expression, text) == expected, "\(pattern) in \(text.debugDescription)")
        }
      } catch {
        #expect(error.reason == Self.unsupported[pattern], "\(pattern)")
      }
    }
  }

  @Test("cut a text as each behaviour of Split does")
  func splits() throws {
    let texts = try Self.texts()
    for line in try Self.lines("splits.jsonl") {
      let pattern =
        if let text = line[0] as? String {
          TextPattern.expression(try RegularExpression(text))
        } else {
          TextPattern.text(Array(try #require((line[0] as? [String: String])?["String"]).utf8))
        }
      let behavior = try #require(PatternSplit.Behavior(rawValue: line[1] as? String ?? ""))
      let split = PatternSplit(
        pattern: pattern, behavior: behavior, isInverted: try #require(line[2] as? Bool))
      for (text, expected) in zip(texts, try #require(line[3] as? [[[Int]]])) {
        var text = text
        let words = text.withUTF8 { bytes in
          split.words(bytes, 0..<bytes.count).map { [$0.lowerBound, $0.upperBound] }
        }
        #expect(words == expected, "\(line[0]) \(behavior) in \(text.debugDescription)")
      }
    }
  }

  @Test(
    "take time in proportion to the text where others take exponential time",
    arguments: ["(a|aa)+b", "(?:a?){30}a{30}b", "(?:a+)+b", "(?:a|a|aa)*c", "(?>a+)b", "(?=a+b)a"])
  func linearTime(pattern: String) throws {
    var text = String(repeating: "a", count: 3000)
    let expression = try RegularExpression(pattern)
    text.withUTF8 { bytes in
      var steps = 0
      expression.matches(bytes, counting: &steps) { _ in }
      #expect(steps < 400 * bytes.count)
    }
  }

  @Test(
    "refuse what would be too large, naming it",
    arguments: [
      (String(repeating: "(", count: 5000), "nests groups deeper than 100"),
      ("(((a{1000}){1000}){1000}){1000}", "needs more than 50000 instructions"),
      ("a{1000000000000000000000}", "repeats more than 100000 times"),
      ("(?:a?){2000}", "has more than 500 alternatives and repetitions"),
      (String(repeating: "a", count: 20_000), "is longer than 10000 characters"),
      ("a" + String(repeating: "{1}", count: 3000), "repeats a part more than 8 times over"),
      ("(a)\\1", "has an escape that is not supported"),
      ("(?:a*)*", "repeats without a limit what may match nothing"),
    ])
  func limits(pattern: String, reason: String) {
    let error = #expect(throws: RegexError.self) { try RegularExpression(pattern) }
    #expect(error?.reason == reason)
  }
}
