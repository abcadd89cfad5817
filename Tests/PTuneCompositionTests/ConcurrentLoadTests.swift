import PTunePlugins
import TestSupport
import Testing

@testable import PTuneComposition

@Suite("Loading at the same time") struct ConcurrentLoadTests {
  @Test("registries on several threads load the same plugin, whose entry runs once")
  func registries() async throws {
    let descriptors = try await withThrowingTaskGroup(of: UInt.self) { group in
      for _ in 0..<8 {
        group.addTask {
          let choice = ComponentChoice(plugin: "p-tuning-v2")
          let component = try Workbench.factory().load(.adapter, choice)
          return UInt(bitPattern: component.loaded.component)
        }
      }
      return try await group.reduce(into: Set<UInt>()) { $0.insert($1) }
    }
    #expect(descriptors.count == 1)
  }
}
