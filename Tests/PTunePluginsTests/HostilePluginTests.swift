import Foundation
import Testing

@testable import PTunePlugins

@Suite("Hostile plugins")
struct HostilePluginTests {
  /// A file of Hostile/ and the reason for which it has to be rejected.
  static let cases: [(source: String, reason: String)] = [
    ("no_entry", "is not a plugin: it does not export ptune_plugin_entry_v1"),
    ("other_interface", "is for plugin interface v2; this ptune speaks v1"),
    (
      "wrong_plugin_size",
      "has an invalid description: the plugin has struct_size 56 where ptune_plugin_v1 has 48: it was built with another ptune.h"
    ),
    ("wrong_component_size", "has an invalid description: component 0 has struct_size"),
    ("wrong_methods_size", "has an invalid description: the methods of 'good' has struct_size 24"),
    ("missing_method", "has an invalid description: 'good' lacks the method `inject`"),
    ("not_utf8", "has an invalid description: the plugin's id is not UTF-8"),
    ("segfault", "crashed (SIGSEGV) while it was being opened"),
    ("abort", "crashed (SIGABRT) while it was being opened, saying: no licence found"),
    ("exit_in_constructor", "ended the process with exit(0) while it was being opened"),
    ("exit_in_entry", "ended the process with exit(0) in its entry function"),
    ("scribbles", "wrote into the probe's channel while it was being opened"),
    (
      "calls_in_entry",
      "crashed (SIGABRT) in its entry function, saying: a function tagged [call] was called in the entry function"
    ),
    ("refuses", "says that it cannot work: this machine has no abacus"),
    ("undefined_symbol", "cannot be opened: undefined symbol: ptune_test_symbol_that_nobody_defines"),
    (
      "malformed_schema",
      "has a malformed schema, line 1, column 29: unknown type 'flaot'; did you mean 'float'?"
    ),
    ("other_schema_name", "has a schema for 'better' instead of 'good'"),
    ("unknown_kind", "is of kind 99, which this ptune does not know"),
    ("bad_name", "has an invalid name"),
    ("many", "has an invalid description: it claims to hold 10000 components"),
    ("needs_more", "needs ptune.ops/7, ptune.telepathy/1, which this ptune does not have"),
  ]

  @Test("each is rejected with its reason, and the good ones beside them work")
  func rejected() throws {
    let workshop = try Workshop()
    let names = Self.cases.enumerated().map { "\($0.element.source)" }
    for (index, source) in names.enumerated() {
      try workshop.build(source, defines: source == "not_utf8" ? [] : ["ID=\"org.example.case\(index)\""])
    }
    // One that comes before all others by name, one between them and one after.
    try workshop.build("typed", as: "a_typed")
    try workshop.build("forks", as: "m_forks")
    try workshop.build("good", as: "z_good")

    let inventory = try workshop.scan([workshop.folder])
    for (source, reason) in Self.cases {
      let file = "\(workshop.folder)/libptune_\(source).\(pluginSuffix)"
      let rejection = try #require(inventory.rejected.first { $0.path == file }, "\(source)")
      #expect("\(rejection.reason)".hasPrefix(reason), "\(source)")
    }
    #expect(inventory.rejected.count == Self.cases.count)
    #expect(inventory.components.map(\.name) == ["every-type", "forks", "good"])
    #expect(inventory.folders.first?.state == .searched(files: Self.cases.count + 3))
  }

  @Test("of two components of one name the first is used, and the second is rejected")
  func twice() throws {
    let workshop = try Workshop()
    let file = try workshop.build("twice")
    let inventory = try workshop.scan([workshop.folder])
    #expect(inventory.components.map(\.name) == ["good"])
    #expect(inventory.rejected == [Rejection(path: file, component: "good", reason: .repeatedComponent)])
  }

  @Test("one that never returns is given up on")
  func hang() throws {
    let workshop = try Workshop()
    let hanging = try workshop.build("hang")
    try workshop.build("good", as: "z_good")
    let inventory = try workshop.scan([workshop.folder], timeout: "0.75")
    let rejection = try #require(inventory.rejected.first)
    #expect(rejection.path == hanging)
    #expect(rejection.reason == .culprit(.opening, .hang(seconds: 0.75), output: nil))
    #expect(rejection.help == "PTUNE_PROBE_TIMEOUT=10 gives each plugin ten seconds")
    #expect(inventory.components.map(\.name) == ["good"])
  }

  @Test("files that are no libraries are never opened")
  func notLibraries() throws {
    let workshop = try Workshop()
    func path(_ name: String) -> String { "\(workshop.folder)/libptune_\(name).\(pluginSuffix)" }
    try "not a library\n".write(toFile: path("text"), atomically: false, encoding: .utf8)
    try Data().write(to: URL(fileURLWithPath: path("empty")))
    try Data([0, 1, 2, 3]).write(to: URL(fileURLWithPath: path("binary")))
    for name in ["text", "empty", "binary"] { try #require(chmod(path(name), 0o644) == 0) }
    try #require(symlink("nowhere.so", path("dangling")) == 0)
    try #require(mkfifo(path("pipe"), 0o600) == 0)
    try FileManager.default.createDirectory(atPath: path("folder"), withIntermediateDirectories: false)

    let inventory = try workshop.scan([workshop.folder])
    let expected: [(String, Rejection.Reason)] = [
      ("binary", .notALibrary(found: .other)), ("dangling", .danglingLink(target: "nowhere.so")),
      ("empty", .notALibrary(found: .nothing)), ("folder", .notAFile), ("pipe", .notAFile),
      ("text", .notALibrary(found: .text)),
    ]
    #expect(inventory.rejected == expected.map { Rejection(path: path($0.0), reason: $0.1) })
    #expect(
      inventory.rejected.first { $0.path == path("text") }?.reason.description
        == "is not a shared library (a text file)")
  }

  @Test("of two versions of a plugin in one folder the newer one is used, and both are shown")
  func versions() throws {
    let workshop = try Workshop()
    func build(_ name: String, _ version: String) throws -> String {
      try workshop.build("good", as: name, defines: ["VERSION=\"\(version)\""])
    }
    let (old, new) = (try build("a", "1.9.0"), try build("b", "1.10.0"))
    let draft = try build("c", "1.10.0-rc.1")
    let inventory = try workshop.scan([workshop.folder])
    #expect(inventory.components.map(\.plugin.file) == [new])
    #expect(
      inventory.shadowed.map(\.description) == [
        "\(old): plugin org.example.good 1.9.0 is left out for 1.10.0 from \(new)",
        "\(draft): plugin org.example.good 1.10.0-rc.1 is left out for 1.10.0 from \(new)",
      ])
  }

  #if os(Linux)
    @Test("a library for another processor is told from one that is missing something")
    func otherMachine() throws {
      let workshop = try Workshop()
      let file = try workshop.build("good")
      var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      // e_machine of an ELF file: 243 is RISC-V, 22 is s390.
      bytes[18] = bytes[18] == 243 ? 22 : 243
      try bytes.write(to: URL(fileURLWithPath: file))
      let rejected = try workshop.scan([workshop.folder]).rejected
      #expect(rejected.map(\.path) == [file])
      #expect(
        rejected.first?.reason.description.hasPrefix(
          "is built for \(bytes[18] == 243 ? "RISC-V" : "s390"), 64 bits, ")
          == true, "\(rejected)")
    }
  #endif

  @Test("a truncated library is rejected", arguments: [40, 4096])
  func truncated(bytes: Int) throws {
    let workshop = try Workshop()
    let file = try workshop.build("good")
    try Data(contentsOf: URL(fileURLWithPath: file)).prefix(bytes).write(to: URL(fileURLWithPath: file))
    let inventory = try workshop.scan([workshop.folder])
    #expect(inventory.rejected.map(\.path) == [file])
    #expect(inventory.components.isEmpty)
  }

  @Test("folders and files that others may write to are refused with the chmod that helps")
  func writable() throws {
    let workshop = try Workshop()
    let open = try workshop.folder("open")
    try workshop.build("good", in: open)
    try #require(chmod(open, 0o777) == 0)
    let closed = try workshop.folder("closed")
    let file = try workshop.build("good", in: closed)
    try #require(chmod(file, 0o666) == 0)

    let inventory = try workshop.scan([open, closed])
    #expect(inventory.components.isEmpty)
    #expect(
      inventory.rejected.map(\.description) == [
        "\(open): the folder is writable by everyone; its plugin was ignored",
        "\(file): the file is writable by everyone",
      ])
    #expect(inventory.rejected.map(\.help) == ["chmod o-w '\(open)'", "chmod o-w '\(file)'"])
    #expect(inventory.folders.first?.state == .refused)
  }

  @Test("a folder above, or a link on the way, that others may change is refused; one like /tmp is not")
  func ancestors() throws {
    let workshop = try Workshop()
    let inner = try workshop.folder("open/inner")
    let file = try workshop.build("good", in: inner)
    let open = workshop.folder + "/open"
    #expect(try workshop.scan([inner]).rejected.isEmpty)
    try #require(chmod(open, 0o777) == 0)
    #expect(try workshop.scan([inner]).rejected.map(\.path) == [open])
    // A link in a folder that is all right leads through one that is not.
    let closed = try workshop.folder("closed")
    try #require(
      symlink("../open/inner/libptune_good.\(pluginSuffix)", "\(closed)/libptune_link.\(pluginSuffix)") == 0)
    let linked = try workshop.scan([closed])
    #expect(linked.rejected.map(\.path) == [open] && linked.components.isEmpty)
    // So does a folder that is a link.
    try #require(symlink(inner, "\(workshop.folder)/way") == 0)
    #expect(try workshop.scan(["\(workshop.folder)/way"]).rejected.map(\.path) == [open])
    // What finds its way past the search is not opened either.
    #expect(throws: ProbeMessage.Refusal.self) { _ = try PluginLibrary(opening: file) }
    try #require(chmod(open, 0o1777) == 0)
    #expect(try workshop.scan([inner, closed]).rejected.isEmpty)
    try #require(lchown("\(closed)/libptune_link.\(pluginSuffix)", 12345, 12345) == 0 || geteuid() != 0)
    if geteuid() == 0 {
      let other = try workshop.scan([closed])
      #expect(other.rejected.map(\.reason) == [.otherOwner(12345, what: .link, plugins: 0)])
    }
  }

  @Test("a second plugin with the same id is shadowed, and so is a second path to the same file")
  func duplicates() throws {
    let workshop = try Workshop()
    let first = try workshop.build("good", in: try workshop.folder("first"))
    let second = try workshop.build("good", in: try workshop.folder("second"))
    let link = workshop.folder + "/second/libptune_link.\(pluginSuffix)"
    try #require(symlink(first, link) == 0)
    let third = try workshop.build(
      "good", in: try workshop.folder("third"), defines: ["ID=\"org.example.third\""])

    let inventory = try workshop.scan(["first", "second", "third"].map { workshop.folder + "/" + $0 })
    #expect(inventory.components.map(\.plugin.file) == [first])
    #expect(
      inventory.shadowed.map(\.description) == [
        "\(link): is the same file as \(first)",
        "\(second): plugin org.example.good 1.0.0 is left out for 1.0.0 from \(first)",
        "\(third): adapter 'good' is already provided by \(first)",
      ])
  }

  @Test("a prober that cannot be started rejects every file and says why")
  func noProber() throws {
    let workshop = try Workshop()
    let file = try workshop.build("good")
    let prober = Prober(executable: workshop.folder + "/nothing", environment: [:])
    let inventory = PluginScanner(search: workshop.search([workshop.folder]), prober: prober).scan()
    let why = "\(workshop.folder)/nothing cannot be started: No such file or directory"
    #expect(inventory.rejected == [Rejection(path: file, reason: .notProbed(why))])
  }
}
