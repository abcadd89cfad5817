import Foundation
import PTuneFormats
import Synchronization
import Testing

@testable import PTuneHub

@Suite struct MisbehaviourTests {
  static let weights = PullTests.weights
  static let large = ["model.safetensors"]

  @Test(
    "a download comes to its end however the server misbehaves meanwhile",
    arguments: [
      // Cut twice: each attempt goes on where the one before ended.
      (["cut:700", "cut:300"], ["", "bytes=700-", "bytes=1000-"]),
      // A server that begins anew although it was asked for the rest.
      (["cut:700", "no-range"], ["", "bytes=700-"]),
      // One byte is wrong: once more from the start.
      (["damage"], ["", ""]),
      // Cut, and what came before was wrong.
      (["damage", "cut:5"], ["", "", "bytes=5-"]),
      // The server believes the file to be shorter than the hub said.
      (["shorter:500"], ["", "bytes=1500-"]),
    ])
  func comesThrough(faults: [String], ranges: [String]) throws {
    let desk = try HubDesk("through-\(faults.joined(separator: "-").filter { $0 != ":" })")
    try desk.serve(PullTests.model, lfs: Self.large, faults: ["model.safetensors": faults])
    try desk.pull()
    #expect(try desk.text("model.safetensors") == Self.weights)
    let storage = try desk.log().filter { $0.hasPrefix("storage") }
    #expect(
      storage == ranges.map { "storage GET model.safetensors" + ($0.isEmpty ? "" : " \($0)") })
    #expect(try !desk.tree().contains { $0.contains("incomplete") })
  }

  @Test("a server that says nothing any more is left after the time-out, and the download goes on")
  func hangs() throws {
    let desk = try HubDesk("hangs")
    try desk.serve(PullTests.model, lfs: Self.large, faults: ["model.safetensors": ["hang:100"]])
    try desk.pull(environment: ["HF_HUB_DOWNLOAD_TIMEOUT": "1"])
    #expect(try desk.text("model.safetensors") == Self.weights)
  }

  @Test(
    "what stays wrong is an error, and nothing of it is in the cache",
    arguments: [
      ("damage!", "model.safetensors arrived damaged: its checksum is"),
      ("longer!", "model.safetensors should have 2000 bytes, but 2004 came"),
      ("cut:0!", "the connection to HOST broke off"),
      ("shorter:500!", "the connection to HOST broke off: only 1500 of 2000 bytes came"),
    ])
  func staysWrong(fault: String, error: String) throws {
    let desk = try HubDesk("wrong-\(fault.prefix { $0 != "!" && $0 != ":" })")
    try desk.serve(PullTests.model, lfs: Self.large, faults: ["model.safetensors": [fault]])
    let failure = desk.failure()
    #expect(failure.hasPrefix(error), "\(failure)")
    #expect(failure.contains("run the same command again"))
    let tree = try desk.tree()
    #expect(!tree.contains { $0.hasPrefix("refs") || $0.contains("model.safetensors") })
  }

  @Test("an interrupted download leaves what came, and the next one goes on there")
  func interrupted() throws {
    let desk = try HubDesk("interrupted")
    try desk.serve(PullTests.model, lfs: Self.large, faults: ["model.safetensors": ["hang:1200"]])
    let isInterrupted = Mutex(false)
    #expect(throws: CancellationError.self) {
      try desk.pull(isInterrupted: { isInterrupted.withLock { $0 } }) { event in
        if case .progress("model.safetensors", _, _) = event { isInterrupted.withLock { $0 = true } }
      }
    }
    #expect(try desk.tree().contains { $0.hasSuffix(".incomplete") })
    #expect(try !desk.tree().contains { $0.hasPrefix("refs") })
    try desk.pull()
    #expect(try desk.text("model.safetensors") == Self.weights)
    #expect(try desk.log().last == "storage GET model.safetensors bytes=1200-")
  }

  @Test("several pulls at once into one cache do not harm each other")
  func concurrent() async throws {
    let desk = try HubDesk("concurrent")
    try desk.serve(PullTests.model, lfs: Self.large, faults: ["model.safetensors": ["cut:700", "cut:300"]])
    let (settings, name) = (try desk.settings(), try #require(HubName(desk.name)))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { _ = try Hub(settings).pull(name, .model) } }
      try await group.waitForAll()
    }
    #expect(try desk.text("model.safetensors") == Self.weights)
    #expect(try !desk.tree().contains { $0.contains("incomplete") || $0.contains(".link") })
  }

  @Test("a hub that asks for a pause gets it, and one that is not well is asked again")
  func pauses() throws {
    let desk = try HubDesk("pauses")
    try desk.serve(
      PullTests.model,
      faults: ["*": ["status:429:0.02", "status:503"], "config.json": ["status:500"]])
    var waits: [String] = []
    try desk.pull(report: { event in
      if case .waiting(let seconds, let reason) = event {
        waits.append("\(seconds) \(desk.message { throw HubServerError(description: reason) })")
      }
    })
    #expect(
      waits.prefix(2) == ["0.02 HOST wants fewer requests", "0.02 HOST answered with status 503"])
    #expect(waits.last == "0.01 HOST answered with status 500")
    #expect(waits.count == 3)
  }

  @Test("a file that the disk cannot hold is refused before it is fetched")
  func tooLarge() throws {
    let desk = try HubDesk("too-large")
    try desk.serve(PullTests.model, lfs: Self.large, more: ["sizes": ["model.safetensors": .int(1 << 60)]])
    let failure = desk.failure()
    #expect(failure.hasPrefix("the download needs 1152921.5 TB, but FOLDER/hub has only "), "\(failure)")
    #expect(try !desk.log().contains { $0.hasPrefix("storage") })
  }
}
