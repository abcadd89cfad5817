import Testing

@testable import PTuneTerminal

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

  @Test("a table that is too wide goes on below, broken between words, and loses nothing")
  func narrow() {
    var table = TextTable(["NAME", "COUNT", "WHAT"], alignments: [.leading, .trailing])
    table.add("a", "7", "a text that is longer than the others")
    table.add("b", "12", "/usr/local/lib/ptune/plugins/libptune_prompt_tuning.so")
    #expect(
      table.lines(width: 36) == [
        "NAME  COUNT  WHAT", "a         7  a text that is longer", "             than the others",
        "b        12  /usr/local/lib/ptune/", "             plugins/", "             libptune_prompt_tuning.",
        "             so",
      ])
    #expect(table.lines(width: 200) == table.lines)
    #expect(table.width == table.lines.map(displayWidth).max())
    // Numbers and names are never broken.
    #expect(table.leastWidth == "NAME  COUNT  libptune_prompt_tuning.".count)
    #expect(table.lines(width: 5) == table.lines(width: table.leastWidth))
  }

  @Test("a text is broken at blanks, and a long word behind a slash or anywhere")
  func wrapping() {
    #expect(wrappedLines("one two three", width: 7) == ["one two", "three"])
    #expect(wrappedLines("one two", width: 7) == ["one two"])
    #expect(wrappedLines("提示提示", width: 4) == ["提示", "提示"])
    #expect(wrappedLines("ab/cdefgh", width: 5) == ["ab/", "cdefg", "h"])
    #expect(wrappedLines("", width: 5) == [""])
  }

  @Test("wide characters keep the columns straight")
  func wide() {
    var table = TextTable("TEXT", "LABEL")
    table.add("提示", "yes")
    table.add("ab", "no")
    #expect(table.lines == ["TEXT  LABEL", "提示  yes", "ab    no"])
  }
}
