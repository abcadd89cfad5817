import Testing

@testable import PTuneVisibleText

@Suite("Text from outside, as it is shown") struct VisibleTextTests {
  @Test(
    "control characters are written out, whatever their encoding",
    arguments: [
      ("\u{1B}[2J", "\\u{1B}[2J"), ("a\u{0}b", "a\\u{00}b"), ("\r\u{8}", "\\u{0D}\\u{08}"),
      ("\u{7F}", "\\u{7F}"),
      ("\u{9B}31m", "\\u{9B}31m"), ("\u{202E}txt.exe", "\\u{202E}txt.exe"), ("\u{2066}", "\\u{2066}"),
      ("\u{2028}", "\\u{2028}"), (String(decoding: [UInt8]([0xEF, 0xB7, 0x91]), as: UTF8.self), "\\u{FDD1}"),
    ])
  func controls(text: String, shown: String) {
    #expect(VisibleText.name(text) == shown)
    #expect(VisibleText.lines(text) == shown)
  }

  @Test(
    "text of every script stays as it is",
    arguments: ["Übergröße", "日本語", "שלום", "مرحبا", "👩‍👩‍👧", "a … “b”", ""])
  func scripts(text: String) {
    #expect(VisibleText.name(text) == text)
    #expect(VisibleText.lines(text) == text)
  }

  @Test("a name stays on its line, and lines stay lines")
  func lines() {
    #expect(VisibleText.name("a\nerror: b\t") == "a\\u{0A}error: b\\u{09}")
    #expect(VisibleText.lines("a\n\tb\r\n") == "a\n\tb\\u{0D}\n")
  }

  @Test("a line within a message can't pass for one of ptune's")
  func messages() {
    #expect(VisibleText.message("no 'a\nerror: b'") == "no 'a\n  error: b'")
    #expect(VisibleText.message("looked at:\n  a\n\n  b") == "looked at:\n  a\n\n  b")
  }

  @Test("what is too long is cut between two characters, and says so")
  func limits() {
    #expect(VisibleText.name(String(repeating: "é", count: 200), limit: 3) == "ééé…")
    #expect(VisibleText.name("abc", limit: 3) == "abc")
    #expect(VisibleText.lines(String(repeating: "é", count: 10), limit: 5) == "éé… (16 more bytes)")
    #expect(VisibleText.lines("abc", limit: 3) == "abc")
    #expect(VisibleText.message(String(repeating: "x", count: 1 << 20)).utf8.count < 8100)
    // One character of a million combining marks is a long text as well.
    #expect(VisibleText.name("a" + String(repeating: "\u{301}", count: 1_000_000)).utf8.count < 300)
  }

  @Test("a long list names its first entries and counts the others")
  func lists() {
    #expect(VisibleText.names(["a", "b\u{1B}"]) == "a, b\\u{1B}")
    #expect(VisibleText.names((0..<10_000).map(String.init), limit: 2) == "0, 1 and 9998 more")
  }
}
