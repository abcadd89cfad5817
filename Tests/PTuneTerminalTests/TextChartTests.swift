import Testing

@testable import PTuneTerminal

@Suite struct TextChartTests {
  @Test("a curve stands over its axis, with its highest and lowest value and marks in their places")
  func curve() {
    let chart = TextChart(
      [(0, 1), (1, 0.5), (2, 0), (3, .nan)], marks: [(0, "a"), (1, "b"), (1.1, "too near"), (9, "outside")],
      width: 9, height: 3)
    #expect(
      chart.lines { "\($0)" } == [
        "1.0 │•",
        "    │    •",
        "0.0 │        •",
        "    └─────────",
        "     a   b",
      ])
  }

  @Test("a level curve has one line, and no points have none")
  func edges() {
    #expect(TextChart([(1, 2), (2, 2)], marks: [], width: 3, height: 2).lines { "\($0)" }[0] == "2.0 │• •")
    #expect(TextChart([], marks: [], width: 3, height: 2).lines { "\($0)" }.isEmpty)
  }
}
