import Foundation
import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneComparison
@testable import PTuneComposition
@testable import PTuneRunFile

@Suite struct ComparisonPlanTests {
  private func plan(
    _ runFile: String, _ adapters: String? = nil, grid: [String]? = nil, seeds: Int? = nil
  ) throws -> ComparisonPlan {
    let place = RunPlace.flag("--adapters")
    return try ComparisonPlan(
      runFile: runFile, overrides: [],
      variants: try adapters.map { try ComparisonVariant.list($0, place: place) } ?? [],
      axes: try grid?.map { try ComparisonAxis($0, place: place) }, seeds: seeds, output: nil,
      inventory: Workbench.factory().registry.inventory)
  }

  @Test("trainings of a comparison differ in the method, the grid and the seed, and in nothing else")
  func equalConditions() throws {
    let tiny = try TinyRun()
    let file = try tiny.write(
      "run.yaml", try tiny.spec(adapter: "{plugin: p-tuning-v2, depth: 2, virtual_tokens: 3}").yaml())
    let plan = try plan(
      file, "p-tuning-v2,prompt-tuning:placement=end,prompt-pool:selector=top-k:selector.k=2",
      grid: ["training.learning_rate=0.1,0.2"], seeds: 2)
    #expect(plan.cells.count == 3 * 2 * 2)
    #expect(Set(plan.cells.map(\.folder)).count == plan.cells.count)
    #expect(plan.cells.allSatisfy { $0.spec.adapters[0].hyperparameters["virtual_tokens"]?.value == .int(3) })
    #expect(
      plan.cells.map { $0.spec.adapters[0].hyperparameters["depth"] == nil } == [false, false, false, false]
        + Array(repeating: true, count: 8))
    #expect(
      plan.cells.filter { $0.spec.selector != nil }.map(\.label) == [
        "prompt-pool selector=top-k selector.k=2 training.learning_rate=0.1",
        "prompt-pool selector=top-k selector.k=2 training.learning_rate=0.1",
        "prompt-pool selector=top-k selector.k=2 training.learning_rate=0.2",
        "prompt-pool selector=top-k selector.k=2 training.learning_rate=0.2",
      ])
    let common = plan.cells.map { cell in
      var spec = cell.spec
      (spec.adapters, spec.selector, spec.output) = (plan.cells[0].spec.adapters, nil, "/")
      spec.training.seed = 0
      spec.training.learningRate = nil
      return spec
    }
    #expect(common.allSatisfy { $0 == common[0] })
    #expect(plan.cells.map(\.spec.training.seed) == Array(repeating: [42, 43], count: 6).flatMap { $0 })
  }

  @Test("hyperparameters of the run file's own adapter are checked, not left out")
  func ownAdapter() throws {
    let tiny = try TinyRun()
    let spec = try tiny.spec(adapter: "{plugin: p-tuning-v2, dpth: 2}")
    let file = try tiny.write("run.yaml", spec.yaml())
    #expect(throws: RunFileError.self) { _ = try plan(file, "p-tuning-v2,prompt-tuning") }
    #expect(try plan(file, "prompt-tuning").cells.count == 1)
  }

  @Test("values with commas and colons go in quotes")
  func quotes() throws {
    let variants = try ComparisonVariant.list(
      "prefix-tuning:initialization=text:initial_text=\"good, bad: both\", prompt-tuning",
      place: .flag("--adapters"))
    #expect(
      variants.map(\.label) == [
        "prefix-tuning initialization=text initial_text=\"good, bad: both\"", "prompt-tuning",
      ])
    let tiny = try TinyRun()
    let file = try tiny.write("run.yaml", try tiny.spec(adapter: "p-tuning").yaml())
    let cell = try plan(file, "prefix-tuning:initialization=text:initial_text=\"good, bad: both\"").cells[0]
    #expect(cell.spec.adapters[0].hyperparameters["initial_text"]?.value == .string("good, bad: both"))
  }

  @Test("adapters that work together are compared as the run file that combines them")
  func combination() throws {
    let tiny = try TinyRun()
    let text = try tiny.spec(adapter: "p-tuning").yaml()
    let both = text.replacingOccurrences(
      of: "adapter:\n  plugin: p-tuning\n",
      with: "adapters: [lora, {plugin: prefix-tuning, virtual_tokens: 3}]\n")
    let (file, other) = (try tiny.write("run.yaml", text), try tiny.write("both.yaml", both))
    for plan in [try plan(file, "\(other),prompt-tuning"), try plan(other, "\(other),prompt-tuning")] {
      #expect(plan.cells.map(\.label) == ["both", "prompt-tuning"])
      #expect(plan.cells[0].spec.adapters.map(\.plugin.value) == ["lora", "prefix-tuning"])
      #expect(plan.cells[1].spec.adapters.map(\.plugin.value) == ["prompt-tuning"])
    }
    #expect(try plan(other).cells[0].spec.adapters.map(\.plugin.value) == ["lora", "prefix-tuning"])
    // A grid reaches each of them by its name.
    let grid = try plan(file, "\(other),prompt-tuning", grid: ["adapters.prefix-tuning.virtual_tokens=5,7"])
    #expect(
      grid.cells.map(\.label) == [
        "both prefix-tuning.virtual_tokens=5", "both prefix-tuning.virtual_tokens=7", "prompt-tuning",
      ])
    #expect(
      grid.cells.prefix(2).map { $0.spec.adapters[1].hyperparameters["virtual_tokens"]?.value } == [
        .int(5), .int(7),
      ])
    #expect(
      grid.notes == [
        "prompt-tuning has no prefix-tuning.virtual_tokens; it is trained without that part of the grid"
      ])
    let error = #expect(throws: RunFileError.self) {
      try plan(file, "p-tuning", grid: ["adapter.virtual_tokns=5,7"])
    }
    #expect(error.map { "\($0)" }?.contains("did you mean 'virtual_tokens'?") == true)
  }

  @Test("the analyses of the playbook can be run")
  func playbook() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../Examples/playbook"
    let files = try FileSystem.entries(of: folder).filter { $0.hasSuffix(".yaml") }
    #expect(files.count == 9)
    for file in files { #expect(try !plan("\(folder)/\(file)").cells.isEmpty, "\(file)") }
  }
}
