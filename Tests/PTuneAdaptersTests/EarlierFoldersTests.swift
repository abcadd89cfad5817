import Foundation
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition

/// Fixtures that ptune 0.1.0 wrote: in its own layout, in its own layout though PEFT could express it, and exported.
@Suite("Adapter folders of ptune 0.1") struct EarlierFoldersTests {
  private static let folder = "\(Workbench.fixtures)/adapters-0.1"

  private static func predictions(_ folder: String) throws -> [String] {
    let run = try Workbench.peftRun(folder)
    var lines: [String] = []
    try Predictor(run, task: nil, data: run.folder.tasks.map(\.data)).predict(
      rowsOf: "\(Self.folder)/rows.jsonl"
    ) { lines.append($0.line(scores: true)) }
    return lines
  }

  @Test("they predict what they did", arguments: ["own", "folded", "exported"])
  func same(name: String) throws {
    func scores(_ lines: [String]) throws -> [Float] {
      try lines.flatMap {
        try #require(JSONValue.parse($0)["scores"]?.arrayValue).compactMap { $0.doubleValue.map(Float.init) }
      }
    }
    let text = try String(contentsOfFile: "\(Self.folder)/\(name)/predictions.jsonl", encoding: .utf8)
    let expected = text.split(separator: "\n").map(String.init)
    let found = try Self.predictions("\(Self.folder)/\(name)")
    #expect(try absoluteDifference(scores(found), scores(expected)) < 1e-5)
    // Labels have their names.
    #expect(found.map { $0.prefix(20) } == expected.map { $0.prefix(20) })
  }

  @Test("a names file that does not fit the adapter is an error")
  func names() throws {
    let tiny = try TinyRun(rows: 1)
    try FileManager.default.copyItem(atPath: "\(Self.folder)/exported", toPath: tiny.path("peft"))
    try tiny.write("peft/ptune.json", "{\"tasks\": []}")
    let error = #expect(throws: AdapterError.self) { try Workbench.peftRun(tiny.path("peft")) }
    #expect(error.map { "\($0)" }?.hasSuffix("ptune.json does not name the 1 tasks of the adapter") == true)
  }
}
