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

  private func train() throws -> Outcome {
    try ptune("train", "run.yaml", "--quiet", "--overwrite", "--max-steps", "1")
  }

  private func digest() throws -> String {
    try Fingerprint.ofFile("\(desk.folder)/plugins/libptune_first.so")
  }

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
    #expect(plugins["libptune_first.so"]?["sha256"] == .array([.string(try digest())]))
    #expect(try train().status == 0)
    let listed = try ptune("list-plugins", "--json").document()
    #expect(listed["components"]?.arrayValue?.count == 6)
    let other = try ptune("train", "run.yaml", "--quiet", "--overwrite", "--adapter", "lora")
    #expect(other.status == 1)
    #expect(
      other.errors.contains("error: there is no adapter 'lora'\nhelp: 'ptune.lock' leaves out the plugins"))
  }

  @Test("a run that extends an adapter pins what that adapter consists of, too")
  func extends() throws {
    let trained = try desk.ptune(
      "train", "run.yaml", "--quiet", "--max-steps", "1", "--adapter", "prompt-pool", "--set",
      "selector=top-k")
    #expect(trained.status == 0, "\(trained.errors)")
    let more = """
      base: {model: model}
      adapter: prompt-pool
      extend: out/adapter
      tasks:
        - name: score
          head: regression
          data: {train: scores.tsv, text: sentence}
      output: more

      """
    try desk.write("more.yaml", more)
    try desk.write("scores.tsv", "sentence\tlabel\na good film\t1\na bad film\t0\n")
    let outcome = try ptune("lock", "more.yaml", "--json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let plugins = try #require(try outcome.document()["plugins"]?.objectValue)
    for name in ["bert", "prompt_pool", "top_k", "regression", "sequence_classification"] {
      #expect(plugins.keys.contains { $0.hasPrefix("libptune_\(name).") }, "\(name)")
    }
    let extended = try ptune("train", "more.yaml", "--quiet", "--max-steps", "1")
    #expect(extended.status == 0, "\(extended.errors)")
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
      help: if you trust the file as it is now, accept it with `ptune lock --accept first-adapter`, or with \
      --add beside those for other builds; otherwise restore the old one

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

  @Test("two builds of a plugin are both let in once one is added to the other, and a third is not")
  func builds() throws {
    #expect(try ptune("lock", "run.yaml").status == 0)
    let library = desk.folder + "/plugins/libptune_first.so"
    let first = try digest()
    _ = try desk.shell("cp -p plugins/libptune_first.so first.so; printf x >>plugins/libptune_first.so")
    let second = try digest()
    let added = try ptune("lock", "--add", "first-model", "--json")
    #expect(added.status == 0, "\(added.errors)")
    let entry = try added.document()["plugins"]?["libptune_first.so"]
    #expect(entry == ["state": "added", "sha256": [.string(first), .string(second)]])
    #expect(
      try JSONValue.read(desk.folder + "/ptune.lock")["plugins"]?["libptune_first.so"]?["sha256"]
        == [.string(first), .string(second)])
    #expect(try train().status == 0)
    _ = try desk.shell("cp -p plugins/libptune_first.so second.so; cp -p first.so '\(library)'")
    #expect(try train().status == 0)
    // What is pinned again stays as it is.
    #expect(try ptune("lock", "run.yaml").output.contains("\(first.prefix(16)), \(second.prefix(16))"))

    _ = try desk.shell("printf yy >>plugins/libptune_first.so")
    let third = try train()
    #expect(third.errors.contains("its SHA-256 is \(try digest()), expected \(first) or \(second)"))
    let accepted = try ptune("lock", "--accept", "first-model", "--json")
    #expect(
      try accepted.document()["plugins"]?["libptune_first.so"]
        == ["state": "accepted", "sha256": [.string(try digest())]])
    #expect(try ptune("lock", "--accept", "x", "--add", "x").status == 2)
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
        == "error: 'ptune.lock' pins nothing called 'first-adaptor'\nhelp: did you mean 'first-adapter'?\n"
    )
    for (text, error) in [
      ("{}", "'ptune.lock' is not a lock file of ptune: it has no \"ptune_lock\""),
      (#"{"ptune_lock": 9}"#, "'ptune.lock' has format 9; this ptune knows format 1"),
      (
        #"{"ptune_lock": 1, "plugins": {"a.so": {"sha256": "abc"}}}"#,
        "'ptune.lock' is not a lock file of ptune: 'a.so' has no \"sha256\" of 64 hexadecimal digits, and no list of them"
      ),
      (
        #"{"ptune_lock": 1, "plugins": {"a.so": {"sha256": []}}}"#,
        "'ptune.lock' is not a lock file of ptune: 'a.so' has no \"sha256\" of 64 hexadecimal digits, and no list of them"
      ),
      ("{", "ptune.lock:1:2"),
    ] {
      try desk.write("ptune.lock", text)
      #expect(try errors("train", "run.yaml").contains(error))
      #expect(try errors("list-plugins").contains(error))
    }
  }
}
