import Foundation
import PTuneFormats
import Testing

@testable import PTuneHub

/// A hub, or who stands between, may answer anything.
@Suite("Hostile answers") struct HostileAnswerTests {
  private func head(_ lines: String...) -> HTTPHead {
    var head = HTTPHead()
    for line in ["HTTP/1.1 503 Busy"] + lines { head.take(line: line) }
    return head
  }

  @Test("a pause of any length can be counted with", arguments: ["1e300", "1e18", "9223372036854775808"])
  func endless(seconds: String) {
    #expect(head("Retry-After: \(seconds)").secondsToWait == 31_536_000.0)
    #expect(head("RateLimit: \"api\";r=0;t=\(seconds)").secondsToWait == 31_536_000.0)
    let error = HubError(.tooManyRequests(host: "h", seconds: head("Retry-After: \(seconds)").secondsToWait))
    #expect("\(error)" == "h wants fewer requests, and none for 31536000 seconds")
  }

  @Test("a pause beyond the limit is an error, and is not waited for", arguments: ["1e300", "100000"])
  func pauses(seconds: String) throws {
    for status in [429, 503] {
      let desk = try HubDesk("long-pause-\(status)-\(seconds)")
      try desk.serve(PullTests.model, faults: ["*": ["status:\(status):\(seconds)!"]])
      var waits = 0
      #expect(throws: HubError.self) {
        try desk.pull(report: { event in
          if case .waiting = event { waits += 1 }
        })
      }
      #expect(waits == 0)
    }
  }

  @Test("sizes that no disk has are refused before anything is fetched")
  func sizes() throws {
    let desk = try HubDesk("largest")
    try desk.serve(
      PullTests.model, lfs: ["model.safetensors", "tokenizer.json"],
      more: ["sizes": ["model.safetensors": .int(.max), "tokenizer.json": .int(.max)]])
    let failure = desk.failure()
    #expect(failure.hasPrefix("the download needs 9223372.0 TB, but FOLDER/hub has only "), "\(failure)")
  }

  @Test("a user and a password in HF_ENDPOINT are sent and never shown")
  func passwords() throws {
    let settings = try HubSettings(environment: [
      "HF_ENDPOINT": "http://me:s%40cret@hub.example/x/", "HOME": "/n",
    ])
    #expect(settings.endpoint == "http://hub.example/x")
    #expect(settings.authorization == "Basic \(Data("me:s@cret".utf8).base64EncodedString())")
    let token = try HubSettings(
      environment: ["HF_ENDPOINT": "http://me:secret@hub.example", "HF_TOKEN": "hf_x", "HOME": "/n"])
    #expect(token.authorization == "Bearer hf_x")
    #expect(HTTPAddress("http://me:secret@hub.example:80/a")?.authority == "hub.example:80")
    let wrong = #expect(throws: HubError.self) {
      try HubSettings(environment: ["HF_ENDPOINT": "ftp://me:secret@hub.example", "HOME": "/n"])
    }
    #expect(wrong?.description == "HF_ENDPOINT is 'ftp://…@hub.example', which is not an address")
  }

  @Test("a push sends no file that is a link", arguments: ["README.md", "adapter_model.safetensors"])
  func links(name: String) throws {
    let desk = try HubDesk("link-\(name.prefix(6))")
    let folder = "\(desk.folder)/adapter"
    try FileSystem.createFolder(folder)
    for file in ["adapter_config.json", "adapter_model.safetensors"] where file != name {
      try AtomicFile.write("{}", to: "\(folder)/\(file)")
    }
    try AtomicFile.write("secret", to: "\(desk.folder)/secret")
    try #require(symlink("../secret", "\(folder)/\(name)") == 0)
    let hub = try Hub(try desk.settings(["HF_TOKEN": "hf_writer"]))
    let error = #expect(throws: HubError.self) {
      try hub.push(folder, to: try #require(HubName(desk.name)), message: "m", isPrivate: false)
    }
    #expect(error?.description == "'\(folder)/\(name)' is a link, and only an adapter's own files are sent")
    #expect(try desk.log().isEmpty)
  }
}
