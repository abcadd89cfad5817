import PTunePlugins
import PTuneTesting

/// What `ptune check-plugin` prints.
struct CheckReport: Encodable {
  private struct Section: Encodable {
    let kind, name: String?
    var checks: [Check] = []
  }
  private struct Check: Encodable {
    let check, outcome, detail: String
  }

  private let file: String
  private var sections = [Section(kind: nil, name: nil)]
  private(set) var passed = 0
  private(set) var failures = 0
  private(set) var skipped = 0

  init(_ file: String) { self.file = file }

  /// What follows is about this component.
  mutating func begin(_ component: ComponentDescription) {
    sections.append(Section(kind: component.kind.rawValue, name: component.name))
  }

  mutating func add(_ results: [ConformanceResult]) { for result in results { add(result) } }

  mutating func add(_ result: ConformanceResult) {
    switch result.outcome {
    case .passed: passed += 1
    case .failed: failures += 1
    case .skipped: skipped += 1
    }
    sections[sections.count - 1].checks.append(
      Check(check: result.check, outcome: result.outcome.rawValue, detail: result.detail))
  }

  private enum CodingKeys: String, CodingKey {
    case file, sections = "parts", passed, failures = "failed", skipped
  }

  /// A line for each check, and their numbers.
  func print() {
    for section in sections {
      let title = section.name.map { "\n\(section.kind ?? "") \($0)" } ?? file
      Output.print(Output.paint(title, .bold, on: 1))
      for check in section.checks {
        let mark =
          switch ConformanceResult.Outcome(rawValue: check.outcome) {
          case .failed: Output.paint("FAILED", .red, on: 1)
          case .skipped: Output.paint("skipped", .dim, on: 1)
          default: "ok"
          }
        Output.print("  \(mark)  \(check.check)")
        if !check.detail.isEmpty { Output.print("      \(Output.paint(check.detail, .dim, on: 1))") }
      }
    }
    Output.print("\n\(passed) passed, \(failures) failed, \(skipped) skipped")
  }
}
