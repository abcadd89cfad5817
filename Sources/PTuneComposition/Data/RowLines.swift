/// Lines of a file, for messages: "lines 2, 3, 5 and 20 more".
struct RowLines: CustomStringConvertible {
  private static let limit = 5
  let lines: [Int]

  init(_ lines: [Int]) { self.lines = lines }

  var description: String {
    let shown = lines.prefix(Self.limit).map(String.init).joined(separator: ", ")
    let more = lines.count > Self.limit ? " and \(lines.count - Self.limit) more" : ""
    return "\(lines.count == 1 ? "line" : "lines") \(shown)\(more)"
  }
}
