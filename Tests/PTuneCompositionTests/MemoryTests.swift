import PTuneEngine
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneComposition

@Suite("Memory") struct MemoryTests {
  @Test("steps after the first of each length take no more memory")
  func steadyState() throws {
    let head = ComponentChoice(
      plugin: "sequence-classification", hyperparameters: ["labels": .strings(["a", "b"])])
    let composition = try Workbench.compose(
      checkpoint: "tiny-bert", adapter: ComponentChoice(plugin: "prefix-tuning"), head: head)
    func step(_ seed: Int) throws {
      let sequences = (0..<8).map { index in
        PackedBatch.Sequence(
          tokens: Array(repeating: 7, count: 2 + (seed * 7 + index * 5) % 30), integers: [Int32(index % 2)])
      }
      _ = try composition.model.differentiate(PackedBatch(sequences, training: true))
    }
    for seed in 0..<30 { try step(seed) }
    let taken = composition.model.session.allocatedBytes
    #expect(taken > 0)
    for _ in 0..<4 { for seed in 0..<30 { try step(seed) } }
    #expect(composition.model.session.allocatedBytes == taken)
  }
}
