/// Numbers of two kinds of things, as a table whose cells are the darker the larger they are.
struct HeatTable {
  let id: String
  let caption: String
  /// What rows and columns are.
  let corner: String
  let rows: [String]
  let columns: [String]
  /// The value of a cell as it is written, and how dark it is, from 0 to 1.
  let cell: (_ row: Int, _ column: Int) -> (text: String, share: Double)
  /// Whether cells where row and column are the same are set off.
  var hasDiagonal = false

  var markup: Markup {
    let head = Markup(
      "thead",
      [
        Markup(
          "tr",
          [Markup("th", ["scope": "col", "class": "corner"], text: corner)]
            + columns.map { Markup("th", ["scope": "col"], [.data($0)]) })
      ])
    let body = Markup(
      "tbody",
      rows.indices.map { row in
        Markup(
          "tr",
          [Markup("th", ["scope": "row"], [.data(rows[row])])]
            + columns.indices.map { column in
              let (text, share) = cell(row, column)
              let percent = Int((min(1, max(0, share)) * 100).rounded())
              let name = "heat\(hasDiagonal && row == column ? " same" : "")"
              return Markup("td", ["class": name, "style": "--heat:\(percent)%"], text: text)
            })
      })
    return .scrolling(
      Markup("table", ["class": "heat-table", "id": id], [Markup("caption", text: caption), head, body]),
      caption: caption)
  }
}

extension Markup {
  /// Something wide that is moved within the page, with the keyboard too.
  ///
  /// - Parameter caption: shown above; a table's own caption would be as narrow as the table.
  static func scrolling(_ content: Markup, caption: String) -> Markup {
    .list([
      Markup("p", ["class": "caption", "aria-hidden": "true"], text: caption),
      Markup(
        "div", ["class": "scroll", "role": "region", "aria-label": caption, "tabindex": "0"], [content]),
    ])
  }

  /// A table with a header row; columns from `numbers` on hold numbers.
  static func table(
    id: String? = nil, class name: String? = nil, caption: String, header: [String], numbersFrom: Int = .max,
    rows: [[Markup]]
  ) -> Markup {
    func alignment(_ column: Int) -> String? { column >= numbersFrom ? "number" : nil }
    let head = Markup(
      "thead",
      [
        Markup(
          "tr", header.enumerated().map { Markup("th", ["scope": "col", "class": alignment($0)], text: $1) })
      ])
    let body = Markup(
      "tbody",
      rows.map { row in
        Markup(
          "tr",
          row.enumerated().map { column, cell in
            column == 0
              ? Markup("th", ["scope": "row"], [cell]) : Markup("td", ["class": alignment(column)], [cell])
          })
      })
    return scrolling(
      Markup("table", ["class": name, "id": id], [Markup("caption", text: caption), head, body]),
      caption: caption)
  }
}
