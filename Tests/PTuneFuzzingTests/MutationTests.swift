import Testing

@testable import PTuneFuzzing

@Suite("Damaged inputs") struct MutationTests {
  /// `Scripts/check/mutate` reads 10,000 of each, and watches the memory.
  private static let count = 300

  @Test("are read or refused, whatever the parser", arguments: FuzzTarget.all.map(\.name))
  func mutations(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    let scratch = try Scratch()
    let seeds = try target.seeds()
    var mutator = Mutator(seed: 8)
    var refused = 0
    for _ in 1...Self.count where target.run(mutator.mutate(seeds), scratch) != nil { refused += 1 }
    // If none were refused, or all, the target would hardly look at its input.
    #expect(refused < Self.count)
    if !["vocabulary", "template", "cache-reference", "probe"].contains(name) { #expect(refused > 0) }
  }

  @Test("the seeds themselves are taken", arguments: FuzzTarget.all.map(\.name))
  func seeds(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    let scratch = try Scratch()
    let refusals = try target.seeds().compactMap { target.run($0, scratch) }
    #expect(refusals.count < (try target.seeds().count))
  }
}
