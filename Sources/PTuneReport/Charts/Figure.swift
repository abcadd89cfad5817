/// A chart with its title, the words for those who do not see it, and a legend.
struct Figure {
  /// How many series differ in colour and dashes.
  static let styles = 6

  let id: String
  let title: String
  let description: String
  let width: Double
  let height: Double
  let parts: [Markup]

  func markup(legend: [(style: Int, name: String)] = []) -> Markup {
    var content = [
      Markup("figcaption", text: title),
      Markup(
        "svg",
        [
          "viewBox": "0 0 \(Axes.text(width)) \(Axes.text(height))", "role": "img",
          "aria-labelledby": "\(id)-title \(id)-desc",
        ],
        [
          Markup("title", ["id": "\(id)-title"], text: title),
          Markup("desc", ["id": "\(id)-desc"], text: description),
        ] + parts),
    ]
    if !legend.isEmpty {
      content.append(
        Markup(
          "ul", ["class": "legend"],
          legend.map { entry in
            Markup(
              "li",
              [
                Markup(
                  "svg", ["viewBox": "0 0 26 10", "aria-hidden": "true"],
                  [
                    Markup("polyline", ["class": "line s\(entry.style)", "points": "1,5 25,5"]),
                    Markup("circle", ["class": "dot s\(entry.style)", "cx": "13", "cy": "5", "r": "3"]),
                  ]),
                .data(entry.name),
              ])
          }))
    }
    return Markup("figure", ["class": "chart", "id": id], content)
  }
}

/// Axes and grids of charts.
enum Axes {
  /// A coordinate, to a hundredth.
  static func text(_ number: Double) -> String {
    let rounded = (number * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }

  /// Lines at the marks of a vertical scale, with their numbers at the left.
  static func horizontalGrid(_ y: Scale, left: Double, right: Double) -> [Markup] {
    y.ticks.flatMap { tick -> [Markup] in
      let place = y.place(tick)
      return [
        Markup(
          "line",
          ["class": "grid", "x1": text(left), "x2": text(right), "y1": text(place), "y2": text(place)]),
        Markup(
          "text", ["class": "tick", "x": text(left - 8), "y": text(place + 4), "text-anchor": "end"],
          text: y.label(tick)),
      ]
    }
  }

  /// Numbers under a horizontal scale, and what it shows.
  static func bottom(_ x: Scale, y: Double, name: String) -> [Markup] {
    var parts = x.ticks.flatMap { tick -> [Markup] in
      let place = x.place(tick)
      return [
        Markup(
          "line", ["class": "axis", "x1": text(place), "x2": text(place), "y1": text(y), "y2": text(y + 4)]),
        Markup(
          "text", ["class": "tick", "x": text(place), "y": text(y + 18), "text-anchor": "middle"],
          text: x.label(tick)),
      ]
    }
    parts.append(
      Markup(
        "line",
        [
          "class": "axis", "x1": text(x.range.lowerBound), "x2": text(x.range.upperBound), "y1": text(y),
          "y2": text(y),
        ]))
    parts.append(
      Markup(
        "text",
        [
          "class": "axis-name", "x": text((x.range.lowerBound + x.range.upperBound) / 2), "y": text(y + 34),
          "text-anchor": "middle",
        ], text: name))
    return parts
  }
}
