import Foundation
import PTuneFormats
import Testing

@Suite("ptune check-plugin")
struct CheckPluginTests {
  private let desk: Desk

  init() throws { desk = try Desk() }

  /// Compiles Plugins/faulty.c with a fault.
  private func plugin(_ fault: String = "NONE") throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let root = folder.deletingLastPathComponent().deletingLastPathComponent().path
    let built = try desk.shell(
      "umask 022; cc -std=c11 -D_GNU_SOURCE -g0 -fPIC -shared -D\(fault) -I '\(root)/Sources/CPTune/include' "
        + "-o libptune_faulty.so '\(folder.path)/Plugins/faulty.c' -lm -lpthread")
    try #require(built.status == 0, "\(built.errors)")
    return "libptune_faulty.so"
  }

  @Test("a plugin without faults passes, and each check says what it saw")
  func passes() throws {
    let outcome = try desk.ptune("check-plugin", try plugin())
    #expect(outcome.status == 0, "\(outcome.output)")
    #expect(outcome.output.hasSuffix("\n26 passed, 0 failed, 0 skipped\n"), "\(outcome.output)")
    #expect(outcome.output.contains("      org.example.faulty 1.0.0 (c)\n"))
    #expect(outcome.output.contains("      prompt [3, 16]\n"))
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    let name, check, detail: String
    var arguments: [String] = []
    var testDescription: String { name }
  }

  @Test(
    "a fault is found by the check that is for it",
    arguments: [
      Fault(
        name: "WRONG_GRADIENT", check: "its gradients match its loss, by finite differences",
        detail: "'prompt': the difference is"),
      Fault(name: "NOT_THE_SAME_TWICE", check: "the same seed gives the same bits", detail: "differ"),
      Fault(
        name: "LEAKS", check: "it does not leak memory when it is created, used and destroyed repeatedly",
        detail: "bytes per round"),
      Fault(
        name: "CRASHES", check: "what it computes is a function of its parameters alone",
        detail: "it crashed (SIGSEGV)"),
      Fault(
        name: "HANGS", check: "what it computes is a function of its parameters alone",
        detail: "it did not finish within 1.0 s", arguments: ["--timeout", "1"]),
      Fault(
        name: "SAYS_TOO_LITTLE", check: "it occupies no more positions than it says",
        detail: "3 rows a sequence, 2 positions said"),
      Fault(
        name: "FORGETS", check: "saved and loaded parameters give the same scores",
        detail: "the parameter 'prompt' is not saved"),
      Fault(
        name: "EXPORTS_MORE", check: "it exports only its entry function",
        detail: "it exports matmul too; hide"),
      Fault(
        name: "UNDOCUMENTED", check: "it is documented", detail: "it lacks documentation, what 'unused' is"),
      Fault(
        name: "NEEDS_ITS_HOST", check: "it survives a host of another version without interfaces",
        detail: "it crashed (SIGSEGV)"),
      Fault(name: "BLANK", check: "it is documented", detail: "it lacks documentation, what 'unused' is"),
      Fault(
        name: "KEEPS_A_STATE", check: "what it computes is a function of its parameters alone",
        detail: "it keeps numbers of its own, which no adapter file holds"),
      Fault(
        name: "DRIFTS", check: "the same batch gives the same numbers each time",
        detail: "it keeps a state of its own, which changes each step"),
      Fault(
        name: "DRAWS_IN_EVALUATION", check: "the same batch gives the same numbers each time",
        detail: "it draws random numbers in evaluation"),
      Fault(
        name: "ANOTHER_IN_EVALUATION",
        check: "it computes the same in training as in evaluation, but for dropout", detail: "losses "),
      Fault(
        name: "SHARES_ITS_INSTANCES", check: "it works beside another one of its kind in the same run",
        detail: "kept in a global"),
      Fault(
        name: "READS_THE_CONTINUATION",
        check: "what it injects does not depend on tokens beyond the known context",
        detail: "with other tokens behind `context_ends`"),
      Fault(
        name: "READS_PAST_THE_END", check: "it stays within the host's arrays, and only reads them",
        detail: "it reads past their ends"),
      Fault(
        name: "WRITES_INTO", check: "it stays within the host's arrays, and only reads them",
        detail: "it wrote into 'tokens'"),
      Fault(
        name: "WRITES_PAST", check: "it stays within the host's arrays, and only reads them",
        detail: "it wrote past the end of 'offsets'"),
      Fault(
        name: "NOT_FINITE_ALONE",
        check: "its numbers are finite at the edges: a single token, a single sequence, the longest text",
        detail: "the loss of lengths [1] is nan"),
      Fault(
        name: "GOES_ON", check: "it stops when the user asks to", detail: "return PTUNE_CANCELLED"),
      Fault(
        name: "LEAKS_A_LITTLE",
        check: "it does not leak memory when it is created, used and destroyed repeatedly",
        detail: "bytes per round"),
      Fault(
        name: "LEAVES_A_THREAD", check: "it leaves the process as it was", detail: "more threads run"),
      Fault(
        name: "OPENS_FILES", check: "it leaves the process as it was", detail: "more files are open"),
      Fault(
        name: "ROUNDS_OTHERWISE", check: "it leaves the process as it was", detail: "are rounded"),
      Fault(name: "REFUSES", check: "it is created", detail: "it does not like this model"),
    ])
  func finds(_ fault: Fault) throws {
    let outcome = try desk.ptune(["check-plugin", "--json", try plugin(fault.name)] + fault.arguments)
    #expect(outcome.status == 1)
    let checks = (try outcome.document()["parts"]?.arrayValue ?? []).flatMap {
      $0["checks"]?.arrayValue ?? []
    }
    let failed = checks.filter { $0["outcome"]?.stringValue == "failed" }
    let found = failed.first { $0["check"]?.stringValue == fault.check }
    #expect(found != nil, "\(outcome.output)")
    #expect(found?["detail"]?.stringValue?.contains(fault.detail) == true, "\(outcome.output)")
  }

  @Test("a hyperparameter that does not fit is told as a run would tell it")
  func hyperparameters() throws {
    let outcome = try desk.ptune("check-plugin", try plugin(), "--set", "unsed=2")
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("error: faulty has no hyperparameter 'unsed'"), "\(outcome.errors)")
    #expect(outcome.errors.contains("did you mean 'unused'?"), "\(outcome.errors)")
  }

  @Test("reference values are compared, and a difference is told with its place")
  func parity() throws {
    let row = "[\((0..<16).map { "\($0)" }.joined(separator: ", "))]"
    let rows = "[\(Array(repeating: row, count: 3).joined(separator: ", "))]"
    try desk.write("parity.json", #"{"parameters": {"prompt": \#(rows)}, "expect": {"input": \#(rows)}}"#)
    let right = try desk.ptune("check-plugin", try plugin(), "--parity", "parity.json")
    #expect(right.status == 0, "\(right.output)")
    #expect(right.output.contains("it computes the reference values\n      input: apart by 0.0"))

    let other = rows.replacing("15]]", with: "16]]")
    try desk.write("parity.json", #"{"parameters": {"prompt": \#(rows)}, "expect": {"input": \#(other)}}"#)
    let wrong = try desk.ptune("check-plugin", try plugin(), "--parity", "parity.json")
    #expect(wrong.status == 1)
    #expect(wrong.output.contains("row 2 of 'input' differs by 1.0"), "\(wrong.output)")
  }

  @Test("what is no plugin fails with the reason")
  func noPlugin() throws {
    try desk.write("libptune_text.so", "no library")
    let text = try desk.ptune("check-plugin", "libptune_text.so")
    #expect(text.status == 1)
    #expect(text.output.contains("is not a shared library (a text file)"), "\(text.output)")
    let missing = try desk.ptune("check-plugin", "libptune_missing.so")
    #expect(missing.status == 1)
    #expect(missing.errors.contains("libptune_missing.so"), "\(missing.errors)")
  }

  @Test(
    "the plugins of this package pass",
    arguments: [
      ["prompt_pool"], ["p_tuning"], ["top_k"], ["token_classification"], ["extractive_qa"],
      ["multiple_choice"], ["causal_lm"], ["bert", "--model", "model"],
    ])
  func own(_ arguments: [String]) throws {
    let plugins = URL(fileURLWithPath: try Desk.command()).deletingLastPathComponent().path
    let outcome = try desk.ptune(
      ["check-plugin", "\(plugins)/libptune_\(arguments[0]).so"] + arguments.dropFirst())
    #expect(outcome.status == 0, "\(outcome.output)")
  }
}
