import Testing

@testable import PTuneEngine

@Suite("Tensors of a checkpoint") struct StoredTensorTests {
  /// Numbers that tell when they are freed, and how often they were made.
  private final class Source {
    private(set) var made = 0
    private(set) var present = 0
    private(set) var discarded = 0

    private final class Numbers {
      let memory: UnsafeMutableBufferPointer<Float>
      private let source: Source
      init(_ source: Source, _ count: Int) {
        self.source = source
        memory = .allocate(capacity: count)
        for index in 0..<count { memory[index] = Float(index + 1) }
        source.made += 1
        source.present += 1
      }
      deinit {
        memory.deallocate()
        source.present -= 1
      }
    }

    func tensor(mapped: Bool, count: Int = 6) -> CheckpointWeight {
      let numbers = Numbers(self, count)
      var tensor = CheckpointWeight(
        shape: [count / 3, 3], values: UnsafeBufferPointer(numbers.memory), owner: numbers)
      if mapped {
        tensor.discard = { self.discarded += 1 }
      } else {
        tensor.again = { self.tensor(mapped: false, count: count) }
      }
      return tensor
    }
  }

  @Test(
    "what was converted is let go once it is packed, and made again for those who read it later",
    .enabled(if: Weight.packingCopies))
  func converted() throws {
    let source = Source()
    let weight = Weight(name: "w", rows: 2, columns: 3, source.tensor(mapped: false))
    #expect(source.present == 1)
    #expect(try weight.packed(.f32) != nil)
    #expect(source.present == 0)
    #expect(Array(UnsafeBufferPointer(start: try weight.values, count: 6)) == [1, 2, 3, 4, 5, 6])
    #expect(source.made == 2)
    // Somebody may have kept that pointer.
    #expect(try weight.part(0..<1).packed(.f32) != nil)
    #expect(source.present == 1)
  }

  @Test("what is packed in slices is not made again for each", .enabled(if: Weight.packingCopies))
  func slices() throws {
    let source = Source()
    let weight = Weight(name: "w", rows: 200, columns: 3, source.tensor(mapped: false, count: 600))
    weight.sliceSize = 1
    #expect(try weight.packedSlices(.f32).count == 4)
    #expect(source.made == 1)
    #expect(source.present == 0)
    _ = try weight.packedSlices(.f32)
    #expect(source.made == 1)
  }

  @Test("the pages of a mapped file are given back once they are packed", .enabled(if: Weight.packingCopies))
  func mapped() throws {
    let source = Source()
    let weight = Weight(name: "w", rows: 2, columns: 3, source.tensor(mapped: true))
    _ = try weight.values
    #expect(source.discarded == 0)
    #expect(try weight.packed(.f32) != nil)
    #expect(source.discarded == 1)
    #expect(source.present == 1)
  }

  @Test(
    "a weight whose numbers are gone when they are asked for again is an error with its name, and the next step works",
    .enabled(if: Weight.packingCopies))
  func lost() throws {
    let source = Source()
    var stored = source.tensor(mapped: false)
    stored.again = { throw Gone() }
    let weight = Weight(name: "h.0.w", rows: 2, columns: 3, stored)
    #expect(try weight.packed(.f32) != nil)
    let bench = OperatorBench()
    try bench.session.scoped {
      let node = try #require(bench.session.node(bench.session.add(weight), "value"))
      let failure = #expect(throws: LostWeight.self) { _ = try bench.session.evaluate(node) }
      #expect(
        failure?.description == "the base model's weight 'h.0.w' cannot be read again: the file is gone")
    }
    let parameter = TrainableParameter(owner: "test", name: "p", shape: [1, 1])
    parameter.values[0] = 2
    _ = bench.session.add(parameter)
    let values = try bench.session.scoped { try bench.session.evaluate(bench.node(bench.tensor(parameter))) }
    #expect(values == [2])
  }

  private struct Gone: Error, CustomStringConvertible {
    var description: String { "the file is gone" }
  }
}
