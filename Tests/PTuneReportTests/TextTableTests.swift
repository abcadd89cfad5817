import Testing

@testable import PTuneReport

@Suite("Tables") struct TextTableTests {
  @Test("columns stand under each other, numbers at the right, and no line ends in blanks")
  func alignment() {
    var table = TextTable(["NAME", "COUNT", "WHAT"], alignments: [.leading, .trailing])
    table.add("a", "7", "one\ntwo")
    table.add(["longer", "1000"])
    #expect(table.lines == ["NAME    COUNT  WHAT", "a           7  one two", "longer   1000"])
  }

  @Test(
    "a text is as wide as a terminal shows it",
    arguments: [
      ("", 0), ("prompt", 6), ("naïve", 5), ("nai\u{308}ve", 5), ("提示", 4), ("ｆｕｌｌ", 8), ("👍", 2), ("❤️", 2),
      ("한글", 4), ("Ωμ", 2), ("a\u{200B}b", 2), ("é👩‍💻", 3),
    ])
  func width(_ text: String, _ cells: Int) {
    #expect(displayWidth(text) == cells)
  }

  @Test("wide characters keep the columns straight")
  func wide() {
    var table = TextTable("TEXT", "LABEL")
    table.add("提示", "yes")
    table.add("ab", "no")
    #expect(table.lines == ["TEXT  LABEL", "提示  yes", "ab    no"])
  }
}
