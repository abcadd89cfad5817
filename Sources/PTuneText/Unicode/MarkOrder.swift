/// Canonical ordering of combining marks (Unicode Standard, section 3.11, D109), in time that grows with their number.
enum MarkOrder {
  /// Sorts a run of characters by combining class; those of one class keep their order.
  static func sort<Mark>(_ marks: inout [Mark], _ run: Range<Int>, by combiningClass: (Mark) -> UInt8) {
    guard run.count > 1 else { return }
    guard run.count > 24 else {
      for index in run.dropFirst() {
        let mark = marks[index]
        var place = index
        while place > run.lowerBound, combiningClass(marks[place - 1]) > combiningClass(mark) {
          marks[place] = marks[place - 1]
          place -= 1
        }
        marks[place] = mark
      }
      return
    }
    // Where the next one of each class goes.
    var places = [Int](repeating: 0, count: 257)
    for index in run { places[Int(combiningClass(marks[index])) + 1] += 1 }
    for index in 1..<257 { places[index] += places[index - 1] }
    let old = Array(marks[run])
    for mark in old {
      let combiningClass = Int(combiningClass(mark))
      marks[run.lowerBound + places[combiningClass]] = mark
      places[combiningClass] += 1
    }
  }
}
