import Foundation
import Testing

@testable import PTunePlugins

/// The real `ptune`, run as users run it.
@Suite("Commands about plugins")
struct CommandTests {
  @Test("list-plugins shows good and bad ones and exits with 0")
  func list() throws {
    let workshop = try Workshop()
    try workshop.build("typed")
    try workshop.build("exit_in_constructor")
    let result = try workshop.ptune(["list-plugins", "--plugin-path", workshop.folder])
    #expect(result.status == 0)
    #expect(result.errors == "")
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines.first?.hasPrefix("KIND") == true)
    let typed = try #require(lines.first { $0.contains("every-type") })
    #expect(typed.hasPrefix("adapter"))
    #expect(typed.contains("  0.3.1    takes hyperparameters of every type  "))
    #expect(typed.hasSuffix("  \(workshop.folder)/libptune_typed.\(pluginSuffix)"))
    #expect(
      lines.contains(
        "  \(workshop.folder)/libptune_exit_in_constructor.\(pluginSuffix): "
          + "ended the process with exit(0) while it was being opened"))
  }

  @Test("list-plugins --json prints one document and nothing else")
  func listDocument() throws {
    let workshop = try Workshop()
    try workshop.build("typed")
    try workshop.build("segfault")
    let result = try workshop.ptune([
      "list-plugins", "--json", "--kind", "adapter", "--plugin-path", workshop.folder,
    ])
    #expect(result.status == 0)
    #expect(result.errors == "")
    let document = try result.document()
    let components = try #require(document["components"] as? [[String: Any]])
    let typed = try #require(components.first { $0["name"] as? String == "every-type" })
    #expect(typed["kind"] as? String == "adapter")
    #expect(typed["version"] as? String == "0.3.1")
    let rejected = try #require(document["rejected"] as? [[String: Any]])
    #expect(rejected.contains { ($0["reason"] as? String)?.hasPrefix("crashed (SIGSEGV)") == true })
  }

  @Test("describe shows every hyperparameter and a snippet that fits a run file")
  func describe() throws {
    let workshop = try Workshop()
    let file = try workshop.build("typed")
    let result = try workshop.ptune(["describe", "every-type", "--plugin-path", workshop.folder])
    #expect(result.status == 0)
    #expect(
      result.output == """
        every-type (adapter): takes hyperparameters of every type

        Writes down what it was given.

        HYPERPARAMETER  TYPE     DEFAULT     ALLOWED            MEANING
        i               int      (required)  100 or less        a required one
        l               long     5000000000
        f               float    0.1         0.0 to 1.0
        d               double   1e-300
        b               bool     false
        s               string   "mean"      mean, first, none
        list            strings  []
        last            int      -3

        In a run file:

          adapter:
            plugin: every-type
            i: 100         # required; [..100]; a required one
            l: 5000000000
            f: 0.1         # [0.0..1.0]
            d: 1e-300
            b: false
            s: "mean"      # {mean|first|none}
            list: []
            last: -3

        Plugin org.example.every-type 0.3.1 (c)
        \(file)

        """)
    let document = try workshop.ptune(["describe", "every-type", "--json", "--plugin-path", workshop.folder])
      .document()
    let parameters = try #require(document["hyperparameters"] as? [[String: Any]])
    #expect(parameters.count == 8)
    #expect(parameters[0]["required"] as? Bool == true)
    #expect(parameters[5]["choices"] as? [String] == ["mean", "first", "none"])
  }

  @Test("an unknown name is an error with the nearest one")
  func unknown() throws {
    let workshop = try Workshop()
    try workshop.build("typed")
    let result = try workshop.ptune(["describe", "every-tpye", "--plugin-path", workshop.folder])
    #expect(result.status == 1)
    #expect(result.output == "")
    #expect(result.errors == "error: there is no component 'every-tpye'\nhelp: did you mean 'every-type'?\n")
  }

  @Test(
    "wrong usage exits with 2 and says what is right",
    arguments: [
      (
        ["list-plugins", "--knid"], "error: Unknown option '--knid'. Did you mean '--kind'?",
        "help: `ptune list-plugins --help` explains"
      ),
      (
        ["list-plugin"], "error: Unexpected argument 'list-plugin'",
        "help: did you mean `ptune list-plugins`?"
      ),
      (["describe"], "error: Missing expected argument '<name>'", "help: `ptune describe --help` explains"),
    ])
  func usage(arguments: [String], error: String, help: String) throws {
    let result = try run(try Workshop.command(), arguments)
    #expect(result.status == 2)
    #expect(result.output == "")
    let lines = result.errors.split(separator: "\n").map(String.init)
    #expect(lines.first == error)
    #expect(lines.last == help)
  }

  @Test("doctor names the machine, the folders and what is wrong in them")
  func doctor() throws {
    let workshop = try Workshop()
    let file = try workshop.build("no_entry")
    let arguments = ["doctor", "--plugin-path", workshop.folder]
    let result = try workshop.ptune(arguments, environment: ["HF_HOME": workshop.folder + "/hf"])
    #expect(result.status == 0)
    #expect(result.output.contains("  \(workshop.folder): 1 plugin file\n"))
    #expect(result.output.contains("problem: \(file): is not a plugin"))
    #expect(result.output.contains("  \(workshop.folder)/hf/hub: not there (Hugging Face cache)\n"))
    let document = try workshop.ptune(arguments + ["--json"]).document()
    #expect(document["pluginInterface"] as? String == "1.1")
  }

  @Test("a reader that leaves early is no error")
  func brokenPipe() throws {
    let workshop = try Workshop()
    try workshop.build("typed")
    let command = "'\(try Workshop.command())' describe every-type --plugin-path '\(workshop.folder)' | true"
    let result = try run("/bin/bash", ["-o", "pipefail", "-c", command])
    #expect(result.status == 0)
    #expect(result.errors == "")
  }

  @Test("the example in C compiles against the header alone and is described")
  func example() throws {
    let workshop = try Workshop()
    let source = Workshop.packageFolder + "/Examples/c-adapter/scaled_prompt.c"
    try workshop.compile(source, to: workshop.folder + "/libptune_scaled_prompt.\(pluginSuffix)")
    let result = try workshop.ptune(["describe", "scaled-prompt", "--json", "--plugin-path", workshop.folder])
    #expect(result.status == 0, "\(result.errors)")
    let document = try result.document()
    #expect(document["kind"] as? String == "adapter")
    let lines = try String(contentsOfFile: source, encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count < 120)
  }
}
