import Testing

@testable import PTuneReport
@testable import PTuneTerminal

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

  @Test("names of points hide neither each other nor the points, as long as there is room")
  func labels() throws {
    // Methods of nearly one size and nearly one accuracy, as comparisons have them.
    let names = [
      "prompt-tuning", "prefix-tuning form=hidden", "prefix-tuning", "p-tuning-v2",
      "prompt-pool selector=attention", "p-tuning encoder=none deviation=0.02",
    ]
    let points = names.enumerated().map { index, name in
      ScatterChart.Point(x: 92_000 + Double(index) * 400, y: 0.71 + Double(index % 3) * 0.004, name: name)
    }
    let area = LabelPlacement.Box(left: 54, top: 2, right: 438, bottom: 212)
    let places = points.enumerated().map {
      (x: 300 + Double($0) * 8, y: 60 + Double($0 % 3) * 6, name: $1.name)
    }
    let labels = LabelPlacement(area: area).labels(places)
    for (index, label) in labels.enumerated() {
      for other in labels[(index + 1)...] { #expect(label.box.overlap(with: other.box) == 0) }
      for place in places {
        let dot = LabelPlacement.Box(
          left: place.x - 5, top: place.y - 5, right: place.x + 5, bottom: place.y + 5)
        #expect(label.box.overlap(with: dot) == 0)
      }
      #expect(label.box.left >= area.left && label.box.bottom <= area.bottom && label.box.top >= area.top)
    }
    // A lone point has its name beside it.
    let lone = LabelPlacement(area: area).labels([(x: 100, y: 100, name: "one")])
    #expect(lone[0].x == 109 && !lone[0].isApart)
    let source = ScatterChart(
      id: "size", title: "Size", description: "Sizes.", horizontal: "parameters", vertical: "accuracy",
      points: points, isLabelled: true, isLogarithmic: true
    ).figure.source
    for name in names { #expect(source.components(separatedBy: ">\(name)<").count == 3) }
  }
}
