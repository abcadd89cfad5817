import Foundation
import PTuneFormats
import TestSupport
import Testing

/// Every plugin with every other one it can meet: it works, or it is refused with the reason. What there is follows
/// from the plugins, and Docs/combinations.md says what came out.
@Suite("Combinations") struct CombinationTests {
  /// Cells that one test case trains one after the other.
  struct Group: Sendable, CustomTestStringConvertible {
    let name: String
    let cells: [Combinations.Cell]
    var testDescription: String { name }
  }

  private static let groups: [Group] = {
    let cells = [Combinations.methodsWithHeads, Combinations.methodsOnBases, Combinations.headsOnBases]
      .flatMap { $0.joined() }
    return Dictionary(grouping: Set(cells), by: \.method).map { Group(name: $0.name, cells: Array($1)) }
      .sorted { $0.name < $1.name }
  }()

  @Test("what is not refused learns, and reloads to the same bits", arguments: groups)
  func trains(_ group: Group) throws {
    let folder = try CombinationFolder()
    for cell in group.cells where Combinations.refusals[cell] == nil {
      let name: Comment = "\(cell.head.name) on \(cell.base.name)"
      let trained = try folder.train(cell)
      let (first, last) = (try #require(trained.losses.first), try #require(trained.losses.last))
      #expect(last < first, name)
      #expect(trained.adapterMoved, name)
      #expect(trained.scores == trained.loadedScores, name)
      #expect(trained.predictions == trained.scores.count, name)
      #expect(!trained.metrics.isEmpty && trained.metrics.allSatisfy(\.isFinite), name)
    }
  }

  @Test(
    "a combination is refused exactly where two of its parts do not go together",
    arguments: Combinations.bases)
  func threeParts(_ base: Combinations.Base) throws {
    let folder = try CombinationFolder()
    let refused = Combinations.refusals
    for (withHeads, onBases) in zip(Combinations.methodsWithHeads, Combinations.methodsOnBases) {
      let isMethodRefused = onBases.contains { $0.base == base && refused[$0] != nil }
      for cell in withHeads where cell.base != base {
        let isHeadRefused = Combinations.headsOnBases.joined().contains {
          $0.base == base && $0.head == cell.head && refused[$0] != nil
        }
        let here = Combinations.Cell(base: base, method: cell.method, head: cell.head)
        let expected = isMethodRefused || isHeadRefused || refused[cell] != nil
        let reason = try folder.refusal(here)
        #expect((reason != nil) == expected, "\(cell.method.name) with \(cell.head.name): \(reason ?? "")")
      }
    }
  }

  @Test("every base model has a checkpoint to be tried on")
  func checkpoints() {
    for base in Combinations.bases {
      #expect(FileSystem.isFile("\(Workbench.fixtures)/\(base.folder)/config.json"), "\(base.folder)")
    }
  }

  @Test("Docs/combinations.md says what is supported; Scripts/generate/combinations writes it")
  func document() throws {
    let document = CombinationDocument().text
    #expect(!document.contains("a mistake of the test"))
    let path = URL(fileURLWithPath: Workbench.fixtures + "/../../Docs/combinations.md").standardized.path
    if ProcessInfo.processInfo.environment["PTUNE_WRITE_COMBINATIONS"] != nil {
      try AtomicFile.write(document, to: path)
    }
    let written = try String(contentsOfFile: path, encoding: .utf8)
    #expect(written == document, "it is out of date: run Scripts/generate/combinations")
  }
}
