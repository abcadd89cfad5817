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
    for (index, point) in shown.enumerated() {
      let style = isLabelled ? index % Figure.styles + 1 : 1
      let (cx, cy) = (x.place(point.x), y.place(point.y))
      parts.append(
        Markup(
          "circle",
          [
            "class": "dot s\(style)\(isLabelled ? "" : " many")", "cx": Axes.text(cx), "cy": Axes.text(cy),
            "r": isLabelled ? "5" : "3",
          ], [Markup("title", text: point.name)]))
      guard isLabelled else { continue }
      let isRight = cx > 300
      parts.append(
        Markup(
          "text",
          [
            "class": "note", "x": Axes.text(isRight ? cx - 9 : cx + 9),
            "y": Axes.text(cy + (index % 2 == 0 ? -6 : 14)), "text-anchor": isRight ? "end" : "start",
          ], text: point.name))
    }
    return Figure(id: id, title: title, description: description, width: 440, height: 252, parts: parts)
      .markup()
  }
}
