/// Points of two values each.
struct ScatterChart {
  struct Point {
    let x, y: Double
    let name: String
  }

  let id: String
  let title: String
  let description: String
  let horizontal: String
  let vertical: String
  let points: [Point]
  /// Whether names stand beside the points, where there are few.
  var isLabelled = false
  /// Whether the horizontal axis is logarithmic.
  var isLogarithmic = false
  /// Whether both axes show the same quantity, so that points on the diagonal agree.
  var hasDiagonal = false

  private static let (left, right, top, bottom) = (52.0, 428.0, 14.0, 214.0)
  /// More points hide each other and make the page heavy.
  static let limit = 2000

  var figure: Markup {
    let shown = points.prefix(Self.limit)
    let (xs, ys) = (shown.map(\.x), shown.map(\.y))
    let x = Scale(
      hasDiagonal ? xs + ys : xs, range: Self.left...Self.right, logarithmic: isLogarithmic)
    let y = Scale(hasDiagonal ? xs + ys : ys, range: Self.top...Self.bottom, isInverted: true)
    var parts = Axes.horizontalGrid(y, left: Self.left, right: Self.right)
    parts += Axes.bottom(x, y: Self.bottom, name: horizontal)
    if hasDiagonal {
      parts.append(
        Markup(
          "line",
          [
            "class": "reference", "x1": Axes.text(x.place(x.lowest)), "y1": Axes.text(y.place(x.lowest)),
            "x2": Axes.text(x.place(x.highest)), "y2": Axes.text(y.place(x.highest)),
          ]))
    }
    let places = shown.map { (x: x.place($0.x), y: y.place($0.y), name: $0.name) }
    let area = LabelPlacement.Box(left: Self.left + 2, top: 2, right: 438, bottom: Self.bottom - 2)
    let labels = isLabelled ? LabelPlacement(area: area).labels(places) : []
    // Leaders first and names last, so that no dot hides a name.
    for (label, point) in zip(labels, places) where label.isApart { parts.append(leader(to: label, point)) }
    for (index, point) in places.enumerated() {
      let style = isLabelled ? index % Figure.styles + 1 : 1
      parts.append(
        Markup(
          "circle",
          [
            "class": "dot s\(style)\(isLabelled ? "" : " many")", "cx": Axes.text(point.x),
            "cy": Axes.text(point.y), "r": isLabelled ? "5" : "3",
          ], [Markup("title", text: point.name)]))
    }
    for (label, point) in zip(labels, places) {
      parts.append(
        Markup("text", ["class": "note", "x": Axes.text(label.x), "y": Axes.text(label.y)], text: point.name))
    }
    return Figure(id: id, title: title, description: description, width: 440, height: 252, parts: parts)
      .markup()
  }

  /// A line from a point to the nearest place of its name.
  private func leader(
    to label: LabelPlacement.Label, _ point: (x: Double, y: Double, name: String)
  ) -> Markup {
    let x = min(max(point.x, label.box.left), label.box.right)
    let y = min(max(point.y, label.box.top), label.box.bottom)
    return Markup(
      "line",
      [
        "class": "leader", "x1": Axes.text(point.x), "y1": Axes.text(point.y), "x2": Axes.text(x),
        "y2": Axes.text(y),
      ])
  }
}
