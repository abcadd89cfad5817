import Testing

@testable import PTuneReport

@Suite("Charts") struct ChartTests {
  @Test("a scale ends at round numbers and marks them")
  func scales() {
    let scale = Scale([0.13, 0.87], range: 0...100)
    #expect((scale.lowest, scale.highest) == (0, 1))
    #expect(scale.ticks.map(scale.label) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    #expect(scale.place(0.5) == 50)
    #expect(Scale([0.13, 0.87], range: 0...100, isInverted: true).place(0.25) == 75)
    let wide = Scale([322, 92_930], range: 0...100, logarithmic: true)
    #expect(wide.ticks.map(wide.label) == ["100", "1k", "10k", "100k"])
    #expect(abs(wide.place(1000) - 100.0 / 3) < 1e-9)
  }

  @Test("equal values, one value or none still make a scale", arguments: [[0.5, 0.5], [3.0], []])
  func degenerate(values: [Double]) {
    let scale = Scale(values, range: 0...100)
    #expect(scale.lowest < scale.highest)
    #expect(!scale.ticks.isEmpty)
    for value in values { #expect((0.0...100).contains(scale.place(value))) }
  }

  @Test("numbers that are none are left out of a scale")
  func notFinite() {
    let scale = Scale([.nan, 1, .infinity, 2], range: 0...10)
    #expect((scale.lowest, scale.highest) == (1, 2))
    #expect((0.0...10).contains(scale.place(.nan)))
  }

  @Test("a line goes through its points, which can be read back from it")
  func line() throws {
    let points: [(x: Double, y: Double)] = [(10, 0.8), (20, 0.4), (30, 0.6)]
    let chart = LineChart(
      id: "loss", title: "Loss", description: "A loss.", horizontal: "step", vertical: "loss",
      series: [.init(name: "loss", points: points)])
    let source = chart.figure.source
    let list = try #require(source.split(separator: "points=\"").dropFirst().first?.prefix { $0 != "\"" })
    let places = list.split(separator: " ").map { $0.split(separator: ",").compactMap { Double($0) } }
    let (x, y) = (
      Scale([10, 30], range: 52...428, tight: true), Scale([0.4, 0.8], range: 14...214, isInverted: true)
    )
    #expect(places.count == 3)
    for (place, point) in zip(places, points) {
      #expect(abs(place[0] - x.place(point.x)) < 0.01)
      #expect(abs(place[1] - y.place(point.y)) < 0.01)
    }
    #expect(source.contains("<title id=\"loss-title\">Loss</title><desc id=\"loss-desc\">A loss.</desc>"))
  }

  @Test("long lines become means of neighbours")
  func thinning() {
    let points = (0..<1000).map { (x: Double($0), y: Double($0 % 4)) }
    let thinned = LineChart.thinned(.init(name: "", points: points))
    #expect(thinned.points.count == 250)
    #expect(thinned.points[0] == (1.5, 1.5))
  }

  @Test("a line of blocks shows where numbers go")
  func sparklines() {
    #expect(sparkline([8, 7, 6, 5, 4, 3, 2, 1]) == "█▇▆▅▄▃▂▁")
    #expect(sparkline([1, 1, 1]) == "▁▁▁")
    #expect(sparkline([1, .nan, 9, 9], width: 2) == "▁█")
    #expect(sparkline([]) == "")
    #expect(sparkline((0..<500).map(Double.init)).count == 40)
  }
}
