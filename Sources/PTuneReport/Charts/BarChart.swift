/// A bar for each of some names, one under the other, perhaps with a deviation.
struct BarChart {
  struct Bar {
    let name: String
    let value: Double
    /// To both sides of the value.
    var deviation = 0.0
    /// The value as it is written.
    let label: String
  }

  let id: String
  let title: String
  let description: String
  let bars: [Bar]
  /// Values to compare with.
  var reference: (name: String, value: Double)?

  private static let (left, right) = (2.0, 438.0)
  private static let rowHeight = 42.0

  var figure: Markup {
    let ends = bars.flatMap { [$0.value - $0.deviation, $0.value + $0.deviation] }
    // Bars begin at zero, since their lengths are compared.
    let scale = Scale(ends + [0] + (reference.map { [$0.value] } ?? []), range: Self.left...Self.right)
    let zero = scale.place(0)
    let height = Double(bars.count) * Self.rowHeight + (reference == nil ? 4 : 22)
    var parts: [Markup] = []
    for (index, bar) in bars.enumerated() {
      let top = Double(index) * Self.rowHeight
      let end = scale.place(bar.value)
      parts.append(Markup("text", ["class": "bar-name", "x": "2", "y": Axes.text(top + 15)], text: bar.name))
      parts.append(
        Markup(
          "text",
          ["class": "bar-value", "x": Axes.text(Self.right), "y": Axes.text(top + 15), "text-anchor": "end"],
          text: bar.label))
      parts.append(
        Markup(
          "rect",
          [
            "class": "track", "x": Axes.text(Self.left), "y": Axes.text(top + 22),
            "width": Axes.text(Self.right - Self.left), "height": "10", "rx": "2",
          ]))
      parts.append(
        Markup(
          "rect",
          [
            "class": "bar s1", "x": Axes.text(min(zero, end)), "y": Axes.text(top + 22),
            "width": Axes.text(max(1, abs(end - zero))), "height": "10", "rx": "2",
          ], [Markup("title", text: "\(bar.name): \(bar.label)")]))
      guard bar.deviation > 0 else { continue }
      let (low, high) = (scale.place(bar.value - bar.deviation), scale.place(bar.value + bar.deviation))
      let middle = top + 27
      parts.append(
        Markup(
          "path",
          [
            "class": "whisker",
            "d":
              "M\(Axes.text(low)) \(Axes.text(middle))H\(Axes.text(high))M\(Axes.text(low)) \(Axes.text(middle - 5))v10M\(Axes.text(high)) \(Axes.text(middle - 5))v10",
          ]))
    }
    if let reference {
      let place = scale.place(reference.value)
      let bottom = Double(bars.count) * Self.rowHeight
      parts.append(
        Markup(
          "line",
          [
            "class": "reference", "x1": Axes.text(place), "x2": Axes.text(place), "y1": "20",
            "y2": Axes.text(bottom),
          ]))
      let anchor = place > 300 ? "end" : place < 140 ? "start" : "middle"
      parts.append(
        Markup(
          "text",
          ["class": "note", "x": Axes.text(place), "y": Axes.text(bottom + 14), "text-anchor": anchor],
          text: reference.name))
    }
    return Figure(id: id, title: title, description: description, width: 440, height: height, parts: parts)
      .markup()
  }
}
