import PTuneEngine
import PTuneTerminal

/// What `ptune train --profile` prints: each operator's share of a step.
struct ProfileTable {
  let lines: [String]

  init(_ profile: Profile) {
    let (parts, whole) = profile.sums
    let steps = Double(profile.summedSteps.count)
    var table = TextTable(
      ["OPERATOR", "PASS", "MS/STEP", "SHARE", "CALLS/STEP", "GFLOP/S"],
      alignments: [.leading, .leading, .trailing, .trailing, .trailing, .trailing])
    func add(_ name: String, _ pass: String, _ duration: Int64, _ calls: Int?, _ operations: Double) {
      let share = whole > 0 ? Double(duration) / Double(whole) : 0
      table.add(
        name, pass, NumberText.fixed(Double(duration) * 1e-6 / steps, 2), NumberText.percent(share),
        calls.map { NumberText.fixed(Double($0) / steps, $0 % Int(steps) == 0 ? 0 : 1) } ?? "",
        operations > 0 && duration > 0 ? NumberText.fixed(operations / Double(duration), 1) : "")
    }
    for part in parts {
      add(
        part.name, part.phase == .around ? "" : part.phase.rawValue, part.duration, part.calls,
        part.operations)
    }
    let rest = whole - parts.reduce(0) { $0 + $1.duration }
    add("everything else", "", rest, nil, 0)
    add("step", "", whole, nil, parts.reduce(0) { $0 + $1.operations })
    let range = profile.summedSteps
    let which =
      range.count == 1 ? "step \(range.lowerBound)" : "steps \(range.lowerBound) to \(range.upperBound)"
    lines = ["Profile of \(which)", ""] + table.lines
  }
}
