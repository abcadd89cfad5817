import PTune
import Testing

@Suite("Suggestions")
struct SuggestionTests {
  @Test(
    "the nearest name is found when it is near enough",
    arguments: [
      ("virtual_token", "virtual_tokens"), ("vitrual_tokens", "virtual_tokens"), ("LABEL", "label"),
      ("lable", "label"), ("VirtualTokens", "virtual_tokens"), ("virtual-tokens", "virtual_tokens"),
      ("sed", "seed"), ("xyz", nil), ("", nil), ("epoch", "epochs"), ("temperature", nil),
    ] as [(String, String?)])
  func nearest(name: String, expected: String?) {
    #expect(Suggestion.nearest(name, among: ["virtual_tokens", "label", "seed", "epochs", "k"]) == expected)
  }

  @Test(
    "where none is near, a part of a name will do, or the first letters of its parts",
    arguments: [
      ("prefix", "prefix-tuning"), ("lr", "learning_rate"), ("bs", "batch-size"), ("rate", "learning_rate"),
      ("tuning", "lora-tuning"), ("l", nil), ("pre", nil), ("xy", nil),
    ] as [(String, String?)])
  func abbreviated(name: String, expected: String?) {
    let names = ["prefix-tuning", "learning_rate", "batch-size", "lora-tuning", "seed"]
    #expect(Suggestion.nearest(name, among: names) == expected)
  }

  @Test("of equally near names the first wins, and a letter is not a slip for another")
  func ties() {
    #expect(Suggestion.nearest("cat", among: ["bat", "hat"]) == "bat")
    #expect(Suggestion.nearest("a", among: ["b"]) == nil)
    #expect(Suggestion.nearest("a", among: [String]()) == nil)
  }

  @Test(
    "insertion, deletion, substitution and a swap of neighbours count one",
    arguments: [
      ("", "", 0), ("", "abc", 3), ("abc", "abc", 0), ("abc", "abxc", 1), ("abc", "ac", 1), ("abc", "axc", 1),
      ("abc", "acb", 1), ("ca", "abc", 3), ("kitten", "sitting", 3),
    ])
  func distance(left: String, right: String, expected: Int) {
    #expect(Suggestion.distance(left, right) == expected)
    #expect(Suggestion.distance(right, left) == expected)
  }
}
