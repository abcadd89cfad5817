import Foundation
import Testing

@Suite("ptune new-plugin")
struct NewPluginTests {
  private let desk: Desk

  init() throws { desk = try Desk() }

  @Test(
    "a project in C builds and passes its own checks",
    arguments: ["adapter", "selector", "task-head", "base-model"])
  func plainC(_ kind: String) throws {
    let made = try desk.ptune("new-plugin", "my-part", "--kind", kind, "--language", "c")
    #expect(made.status == 0, "\(made.errors)")
    let checked = try desk.shell("umask 022; cd my-part && make check 2>&1")
    #expect(checked.status == 0, "\(checked.output)")
    #expect(checked.output.contains("it computes the reference values"), "\(checked.output)")
    #expect(checked.output.contains(", 0 failed,"), "\(checked.output)")
  }

  @Test(
    "a project is made whole, in every language and for every kind",
    arguments: ["swift", "c", "rust"], ["adapter", "selector", "task-head", "base-model"])
  func files(_ language: String, _ kind: String) throws {
    let made = try desk.ptune(
      "new-plugin", "two-words", "--kind", kind, "--language", language, "--output", "there/project")
    #expect(made.status == 0, "\(made.errors)")
    let folder = desk.folder + "/there/project"
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder)
    let files = names.filter { !$0.hasSuffix("/") && !isFolder("\(folder)/\($0)") }
    #expect(files.contains("Makefile") && files.contains("README.md") && files.contains("tests/parity.py"))
    for file in files {
      let text = try desk.text("there/project/\(file)")
      #expect(text.firstMatch(of: #/__[A-Z_]+__/#) == nil, "\(file) has a word of the template")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: desk.folder + "/there") == ["project"])
  }

  private func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  @Test("what already exists is left alone, and a name that cannot be one is refused")
  func refusals() throws {
    try desk.write("taken", "mine")
    let taken = try desk.ptune("new-plugin", "taken")
    #expect(taken.status == 1)
    #expect(taken.errors.contains("FOLDER/taken already exists"), "\(taken.errors)")
    #expect(try desk.text("taken") == "mine")
    let name = try desk.ptune("new-plugin", "My_Part")
    #expect(name.status == 2)
    #expect(name.errors.contains("lower-case words with dashes"), "\(name.errors)")
  }

  @Test(
    "what is made from the header is what the header says",
    arguments: ["rust-bindings", "abi-reference"])
  func madeFromHeader(_ script: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    let outcome = try desk.shell("python3 '\(root)/Scripts/generate/\(script)' --check")
    #expect(outcome.status == 0, "\(outcome.errors)")
  }
}
