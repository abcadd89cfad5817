import Foundation
import PTuneFormats
import Testing

/// A lock file lets in the plugins that it pins, as they were, and no others.
@Suite("ptune lock") struct LockTests {
  private let desk: Desk
  private static let first =
    URL(fileURLWithPath: Desk.fixtures).deletingLastPathComponent().path + "/ABI/1.0"

  /// A desk with the plugin of Tests/ABI in plugins/, which run.yaml uses beside built ones.
  init() throws {
    desk = try Desk()
    let built = try desk.shell(
      "umask 022; mkdir plugins; cc -std=c11 -fPIC -shared -I '\(Self.first)' -o plugins/libptune_first.so "
        + "'\(Self.first)/first.c'")
    try #require(built.status == 0, "\(built.errors)")
    try desk.write(
      "run.yaml",
      Desk.run.replacingOccurrences(
        of: "plugin: p-tuning-v2, virtual_tokens: 4, depth: 2", with: "plugin: first-adapter"))
  }

  private func ptune(_ arguments: String...) throws -> Outcome {
    try desk.ptune(arguments + ["--plugin-path", "plugins"])
  }

  private func train() throws -> Outcome { try ptune("train", "run.yaml", "--quiet", "--max-steps", "1") }

  private func digest() throws -> String { try FileDigest.sha256("\(desk.folder)/plugins/libptune_first.so") }

  @Test("pins the plugins that a run uses, with which it works, and opens no others from then on")
  func pins() throws {
    let outcome = try ptune("lock", "run.yaml", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let plugins = try #require(try outcome.document()["plugins"]?.objectValue)
    #expect(
      plugins.keys == ["libptune_bert.so", "libptune_first.so", "libptune_sequence_classification.so"]
        || plugins.keys == [
          "libptune_bert.dylib", "libptune_first.so", "libptune_sequence_classification.dylib",
        ])
    #expect(plugins["libptune_first.so"]?["state"] == "pinned")
    #expect(plugins["libptune_first.so"]?["sha256"]?.stringValue == (try digest()))
    #expect(try train().status == 0)
    let listed = try ptune("list-plugins", "--json").document()
    #expect(listed["components"]?.arrayValue?.count == 6)
    let other = try ptune("train", "run.yaml", "--quiet", "--adapter", "lora")
    #expect(other.status == 1)
    #expect(
      other.errors.contains("error: there is no adapter 'lora'\nhelp: 'ptune.lock' leaves out the plugins"))
  }

  @Test("a file that has changed is refused before it is opened, with both hashes, until it is accepted")
  func refuses() throws {
    #expect(try ptune("lock", "run.yaml").status == 0)
    let before = try digest()
    // The linker does not look at what stands behind.
    let changed = try desk.shell("printf x >>plugins/libptune_first.so; sha256sum plugins/libptune_first.so")
    let after = String(changed.output.prefix(64))
    let expected = """
      error: FOLDER/plugins/libptune_first.so: is not the file that 'ptune.lock' pins for first-adapter, first-head, \
      first-model, first-selector: its SHA-256 is \(after), expected \(before)
      help: if you trust the file as it is now, accept it with `ptune lock --accept first-adapter`; otherwise put the old \
      one back

      """
    for outcome in [try train(), try ptune("lock"), try ptune("lock", "run.yaml")] {
      #expect(outcome.status == 1)
      #expect(outcome.errors == expected)
    }
    #expect(!FileSystem.exists(desk.folder + "/out"))

    let accepted = try ptune("lock", "--accept", "first-adapter")
    #expect(accepted.status == 0, "\(accepted.errors)")
    #expect(accepted.output.contains("accepted   \(after.prefix(16))"), "\(accepted.output)")
    #expect(accepted.output.contains("unchanged"))
    #expect(try train().status == 0)
  }

  @Test("what cannot be pinned or read is an error that says what to do")
  func mistakes() throws {
    func errors(_ arguments: String...) throws -> String {
      let outcome = try desk.ptune(arguments + ["--plugin-path", "plugins"])
      #expect(outcome.status == 1, "\(arguments)")
      return outcome.errors
    }
    #expect(
      try errors("lock")
        == "error: there is no 'ptune.lock'\nhelp: name a run file to pin the plugins that it uses, or pin all with --all\n"
    )
    #expect(try errors("train", "run.yaml", "--lock", "none.lock").contains("none.lock"))
    #expect(try ptune("lock", "run.yaml").status == 0)
    #expect(
      try errors("lock", "--accept", "first-adaptor")
        == "error: 'ptune.lock' pins nothing that is called 'first-adaptor'\nhelp: did you mean 'first-adapter'?\n"
    )
    for (text, error) in [
      ("{}", "'ptune.lock' is no lock file of ptune: it has no \"ptune_lock\""),
      (#"{"ptune_lock": 9}"#, "'ptune.lock' has format 9; this ptune knows format 1"),
      (
        #"{"ptune_lock": 1, "plugins": {"a.so": {"sha256": "abc"}}}"#,
        "'ptune.lock' is no lock file of ptune: 'a.so' has no \"sha256\" of 64 hexadecimal digits"
      ),
      ("{", "ptune.lock:1:2"),
    ] {
      try desk.write("ptune.lock", text)
      #expect(try errors("train", "run.yaml").contains(error))
      #expect(try errors("list-plugins").contains(error))
    }
  }
}
