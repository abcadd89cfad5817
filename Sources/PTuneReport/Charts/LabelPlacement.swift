import PTuneTerminal

/// Finds places for names beside points, where they hide neither each other nor other points.
struct LabelPlacement {
  /// A rectangle of a chart.
  struct Box: Equatable {
    var left, top, right, bottom: Double

    func overlap(with other: Box) -> Double {
      max(0, min(right, other.right) - max(left, other.left))
        * max(0, min(bottom, other.bottom) - max(top, other.top))
    }
  }

  /// Where a name stands.
  struct Label: Equatable {
    /// The beginning of its base line.
    let x, y: Double
    /// What it covers.
    let box: Box
    /// Whether it is so far from its point that a line has to lead there.
    let isApart: Bool
  }

  /// Within this, names have to stand.
  let area: Box

  /// About what a character takes of a line in the charts' font of 12 px; what is above and below its base line.
  private static let (characterWidth, ascent, descent) = (6.4, 10.0, 3.0)
  private static let (radius, gap) = (6.0, 3.0)

  /// The labels of points, in their order. Each takes the first place that is free, the nearest ones first; where none is,
  /// the one that covers the least.
  func labels(_ points: [(x: Double, y: Double, name: String)]) -> [Label] {
    let dots = points.map { point in
      Box(
        left: point.x - Self.radius, top: point.y - Self.radius, right: point.x + Self.radius,
        bottom: point.y + Self.radius)
    }
    var taken: [Box] = []
    return points.map { point in
      let places = candidates(point.x, point.y, width: Double(displayWidth(point.name)) * Self.characterWidth)
      func cost(_ label: Label) -> Double {
        (dots + taken).reduce(0) { $0 + $1.overlap(with: label.box) }
      }
      var best = (label: places[0], cost: cost(places[0]))
      for place in places.dropFirst() where best.cost > 0 {
        let own = cost(place)
        if own < best.cost { best = (place, own) }
      }
      taken.append(best.label.box)
      return best.label
    }
  }

  /// Places around a point: beside it, over and below it, and in circles further out.
  private func candidates(_ x: Double, _ y: Double, width: Double) -> [Label] {
    let height = Self.ascent + Self.descent
    let beside = Self.radius + Self.gap
    var labels: [Label] = []
    for (circle, shift) in [0, 14, 28, 42, 56].map(Double.init).enumerated() {
      let (over, below) = (y - beside - Self.descent - shift, y + beside + Self.ascent + shift)
      let middle = y + (Self.ascent - Self.descent) / 2
      let right = x + beside
      let left = x - beside - width
      let centre = x - width / 2
      let places =
        circle == 0
        ? [
          (right, middle), (left, middle), (right, middle - 6), (right, middle + 6), (left, middle - 6),
          (left, middle + 6), (centre, over), (centre, below),
        ]
        : [
          (right, middle - shift), (right, middle + shift), (left, middle - shift), (left, middle + shift),
          (centre, over), (centre, below),
        ]
      for (place, base) in places {
        // Moved as far as it has to be to stay within the chart.
        let start = min(max(place, area.left), max(area.left, area.right - width))
        let line = min(max(base, area.top + Self.ascent), area.bottom - Self.descent)
        let box = Box(
          left: start, top: line - Self.ascent, right: start + width, bottom: line - Self.ascent + height)
        labels.append(Label(x: start, y: line, box: box, isApart: circle > 0))
      }
    }
    return labels
  }
}
