import PTuneTerminal

/// Lines over a common axis: a loss over steps, metrics over steps.
struct LineChart {
  struct Series {
    let name: String
    var points: [(x: Double, y: Double)]
    /// Drawn faintly, as what a smoothed line is made from.
    var isFaint = false
    /// Whether each point has a mark, as where there are few.
    var hasMarks = false
  }

  let id: String
  let title: String
  /// What it shows, in a sentence, for those who do not see it.
  let description: String
  let horizontal: String
  let vertical: String
  var series: [Series]
  /// Values to compare with.
  var references: [(name: String, y: Double)] = []
  /// A place worth a mark.
  var mark: (name: String, x: Double, y: Double)?
  var isLogarithmic = false

  private static let (left, right, top, bottom) = (52.0, 428.0, 14.0, 214.0)
  /// More points than this do not show.
  static let resolution = 300

  var figure: Markup {
    let shown = series.map { Self.thinned($0) }
    let values = shown.flatMap { $0.points.map(\.y) } + references.map(\.y)
    let y = Scale(
      values, range: Self.top...Self.bottom, isInverted: true, logarithmic: isLogarithmic)
    let x = Scale(shown.flatMap { $0.points.map(\.x) }, range: Self.left...Self.right, tight: true)
    var parts = Axes.horizontalGrid(y, left: Self.left, right: Self.right)
    parts += Axes.bottom(x, y: Self.bottom, name: horizontal)
    for reference in references {
      let place = y.place(reference.y)
      parts.append(
        Markup(
          "line",
          [
            "class": "reference", "x1": Axes.text(Self.left), "x2": Axes.text(Self.right),
            "y1": Axes.text(place), "y2": Axes.text(place),
          ]))
      parts.append(
        Markup(
          "text",
          [
            "class": "note", "x": Axes.text(Self.right), "y": Axes.text(place - 5), "text-anchor": "end",
          ], text: reference.name))
    }
    var style = 0
    for line in shown where !line.points.isEmpty {
      if !line.isFaint { style += 1 }
      parts += drawn(line, style: max(1, style), x, y)
    }
    if let mark {
      parts.append(
        Markup(
          "circle",
          [
            "class": "mark", "cx": Axes.text(x.place(mark.x)), "cy": Axes.text(y.place(mark.y)), "r": "5",
          ], [Markup("title", text: mark.name)]))
    }
    return Figure(id: id, title: title, description: description, width: 440, height: 252, parts: parts)
      .markup(legend: legend)
  }

  private func drawn(_ line: Series, style: Int, _ x: Scale, _ y: Scale) -> [Markup] {
    let places = line.points.map { "\(Axes.text(x.place($0.x))),\(Axes.text(y.place($0.y)))" }
    let name = line.isFaint ? "line faint" : "line s\((style - 1) % Figure.styles + 1)"
    var parts = [Markup("polyline", ["class": name, "points": places.joined(separator: " ")])]
    guard line.hasMarks || line.points.count == 1 else { return parts }
    parts += line.points.map { point in
      Markup(
        "circle",
        [
          "class": "dot s\((style - 1) % Figure.styles + 1)", "cx": Axes.text(x.place(point.x)),
          "cy": Axes.text(y.place(point.y)), "r": "3",
        ],
        [
          Markup(
            "title", text: "\(line.name): \(NumberText.fixed(point.y, 4)) at \(Scale.short(point.x))")
        ])
    }
    return parts
  }

  private var legend: [(style: Int, name: String)] {
    let names = series.filter { !$0.isFaint }.map(\.name)
    return names.count > 1 ? names.enumerated().map { ($0.offset % Figure.styles + 1, $0.element) } : []
  }

  /// Means of neighbours where there are more points than can be seen.
  static func thinned(_ series: Series) -> Series {
    guard series.points.count > resolution else { return series }
    var thinned = series
    let size = (series.points.count + resolution - 1) / resolution
    thinned.points = stride(from: 0, to: series.points.count, by: size).map { first in
      let part = series.points[first..<min(first + size, series.points.count)]
      let count = Double(part.count)
      return (part.reduce(0) { $0 + $1.x } / count, part.reduce(0) { $0 + $1.y } / count)
    }
    return thinned
  }

  /// Each value's mean with those before it, of which each counts less than the next.
  static func smoothed(_ points: [(x: Double, y: Double)], weight: Double = 0.9) -> [(x: Double, y: Double)] {
    var (mean, share) = (0.0, 0.0)
    return points.map { point in
      mean = weight * mean + (1 - weight) * point.y
      share = weight * share + (1 - weight)
      return (point.x, mean / share)
    }
  }
}
