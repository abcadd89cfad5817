/// A curve in lines of text, for a terminal.
public struct TextChart: Sendable {
  private let points: [(x: Double, y: Double)]
  private let marks: [(x: Double, text: String)]
  private let width: Int
  private let height: Int

  /// A chart of points in the order of their x.
  ///
  /// - Parameters:
  ///   - points: values that are not finite are left out.
  ///   - marks: texts below the axis, each where its x is; one that would touch the one before is left out.
  ///   - width: columns of the curve, the numbers beside it aside.
  ///   - height: lines of the curve.
  public init(_ points: [(x: Double, y: Double)], marks: [(x: Double, text: String)], width: Int, height: Int)
  {
    self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
    self.marks = marks
    self.width = max(2, width)
    self.height = max(2, height)
  }

  /// The chart, its highest and lowest value at the left: empty without points.
  ///
  /// - Parameter label: writes a value.
  public func lines(label: (Double) -> String) -> [String] {
    guard let first = points.first, let last = points.last, let low = points.map(\.y).min(),
      let high = points.map(\.y).max()
    else { return [] }
    func column(_ x: Double) -> Int {
      last.x > first.x ? Int(((x - first.x) / (last.x - first.x) * Double(width - 1)).rounded()) : 0
    }
    var cells = Array(repeating: Array(repeating: Character(" "), count: width), count: height)
    for point in points {
      let share = high > low ? (high - point.y) / (high - low) : 0
      cells[Int((share * Double(height - 1)).rounded())][column(point.x)] = "•"
    }
    let names = [0: label(high), height - 1: label(low)]
    let margin = names.values.map(\.count).max() ?? 0
    var lines = cells.enumerated().map { index, row in
      let name = names[index] ?? ""
      var line = String(repeating: " ", count: margin - name.count) + name + " │" + String(row)
      while line.last == " " { line.removeLast() }
      return line
    }
    lines.append(String(repeating: " ", count: margin) + " └" + String(repeating: "─", count: width))
    var below = ""
    for mark in marks where mark.x >= first.x && mark.x <= last.x {
      let place = max(0, column(mark.x) - mark.text.count / 2)
      guard below.isEmpty || below.count < place, place + mark.text.count <= width + 1 else { continue }
      below += String(repeating: " ", count: place - below.count) + mark.text
    }
    if !below.isEmpty { lines.append(String(repeating: " ", count: margin + 2) + below) }
    return lines
  }
}
