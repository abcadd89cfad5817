import Foundation
import PTuneFormats
import Testing

@testable import PTuneHub

@Suite struct PushTests {
  private func adapter(_ desk: HubDesk, weights: String) throws -> String {
    let folder = "\(desk.folder)/adapter"
    try FileSystem.createFolder(folder)
    for (file, text) in [
      ("adapter_config.json", "{\"peft_type\": \"PROMPT_TUNING\"}"), ("adapter_model.safetensors", weights),
      ("README.md", "# An adapter"), ("notes.txt", "mine"),
    ] {
      try text.write(toFile: "\(folder)/\(file)", atomically: true, encoding: .utf8)
    }
    return folder
  }

  private func push(
    _ desk: HubDesk, _ folder: String, token: String? = "hf_writer", isPrivate: Bool = false
  ) throws -> Hub.Commit {
    let hub = try Hub(try desk.settings(token.map { ["HF_TOKEN": $0] } ?? [:]))
    return try hub.push(
      folder, to: try #require(HubName(desk.name)), message: "A first one", isPrivate: isPrivate)
  }

  private func pushed(_ desk: HubDesk) throws -> (summary: String?, isPrivate: Bool?, files: [String: String])
  {
    let entry = try desk.server.ask("pushed", ["name": .string(desk.name)])
    var files: [String: String] = [:]
    for (name, content) in entry["files"]?.objectValue ?? JSONObject() {
      files[name] = content.stringValue.flatMap { Data(base64Encoded: $0) }.map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    return (entry["summary"]?.stringValue, entry["private"]?.boolValue, files)
  }

  @Test("a push makes the repository, stores large files apart, and commits all at once")
  func push() throws {
    let desk = try HubDesk("upload")
    let weights = String(repeating: "weights of the push test ", count: 400)
    let commit = try push(desk, try adapter(desk, weights: weights), isPrivate: true)
    #expect(commit.isNew && commit.page == "\(desk.server.endpoint)/test/upload")
    #expect(commit.commit == String(repeating: "c", count: 40))
    let there = try pushed(desk)
    #expect(there.summary == "A first one" && there.isPrivate == true)
    #expect(
      there.files == [
        "adapter_config.json": "{\"peft_type\": \"PROMPT_TUNING\"}", "adapter_model.safetensors": weights,
        "README.md": "# An adapter",
      ])
    // Where it is stored the token is not shown; where it is verified, at the hub, it is.
    let log = try desk.log()
    #expect(log.filter { $0.hasPrefix("storage") }.allSatisfy { !$0.contains("hf_writer") })
    #expect(log.last == "hub POST main hf_writer")
    // What the hub has is not sent again.
    #expect(try !push(desk, "\(desk.folder)/adapter").isNew)
    #expect(try desk.log().count { $0.hasPrefix("storage PUT") } == 1)
  }

  @Test("a pull request proposes a commit and changes nothing yet")
  func pullRequest() throws {
    let desk = try HubDesk("proposal")
    let folder = try adapter(desk, weights: "w")
    _ = try push(desk, folder)
    try "# A better one".write(toFile: "\(folder)/README.md", atomically: true, encoding: .utf8)
    let hub = try Hub(try desk.settings(["HF_TOKEN": "hf_writer"]))
    let commit = try hub.push(
      folder, to: try #require(HubName(desk.name)), message: "Better", isPrivate: false,
      asPullRequest: true)
    #expect(commit.page == "http://hub/test/proposal/discussions/1" && !commit.isNew)
    #expect(try pushed(desk).files["README.md"] == "# An adapter")
  }

  @Test("a push that is refused says why, and commits nothing")
  func refused() throws {
    let desk = try HubDesk("refused")
    let folder = try adapter(desk, weights: "w")
    #expect(
      desk.message { _ = try push(desk, folder, token: "hf_reader") } == """
        the hub does not allow this for 'test/refused': you need the right to write
        check the token's permissions: uploads need write access
        """)
    #expect(
      desk.message { _ = try push(desk, folder, token: nil) }.hasPrefix(
        "the hub takes uploads only with a token\ncreate a token in your account's settings"))
    #expect(
      desk.message { _ = try push(desk, folder) } == """
        the hub did not take adapter_model.safetensors: the quota is used up
        run the same command again: what the hub already has is not sent again
        """)
    #expect(try pushed(desk).files.isEmpty)
    #expect(
      desk.message { _ = try push(desk, desk.folder) } == """
        'FOLDER' is not an adapter folder
        give the folder that 'ptune train' or 'ptune export' wrote; it contains adapter_config.json
        """)
  }

  @Test("base64 is that of RFC 4648")
  func base64() {
    for count in 0..<9 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 251 * $0 + 7) }
      #expect(bytes.withUnsafeBytes { Base64.encoded($0) } == Data(bytes).base64EncodedString())
    }
  }
}
