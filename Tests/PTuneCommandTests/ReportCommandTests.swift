import Foundation
import PTuneFormats
import Testing

@Suite("ptune report and completion") struct ReportCommandTests {
  @Test("a training's report has the figures of its files")
  func figures() throws {
    let desk = try Desk()
    #expect(try desk.ptune("train", "run.yaml", "--quiet").status == 0)
    let page = try desk.text("out/report.html")
    let results = try JSONValue.read(desk.folder + "/out/results.json")
    let test = try #require(results["tasks"]?.arrayValue?.first?["test"])
    let rows = try desk.text("out/predictions.jsonl").split(separator: "\n").map {
      try JSONValue.parse(String($0))
    }
    // The metrics of single rows make those of all of them.
    #expect(rows.count == 16 && rows.allSatisfy { $0["of"] == "test" })
    let right = rows.count { $0["prediction"]?["label"] == $0["fields"]?["label"] }
    #expect(rows.count { $0["metrics"]?["accuracy"] == 1.0 } == right)
    #expect(test["metrics"]?["accuracy"]?.doubleValue == Double(right) / 16)
    #expect(
      page.contains(
        "<dt><bdi>Accuracy</bdi></dt><dd><bdi>\(String(format: "%.4f", Double(right) / 16))</bdi>"))
    let steps = try desk.text("out/metrics.jsonl").split(separator: "\n").map {
      try JSONValue.parse(String($0))
    }
    .filter { $0["event"] == "step" }
    let last = try #require(steps.last?["loss"]?.doubleValue)
    #expect(page.contains("to \(String(format: "%.4f", last)) at step 12;"))
  }

  @Test("--no-report, and the options that leave files out")
  func leftOut() throws {
    let desk = try Desk()
    let result = try desk.ptune(
      "train", "run.yaml", "--quiet", "--max-steps", "2", "--no-report", "--set",
      "training.tensorboard=false",
      "--set", "training.predictions=0")
    #expect(result.status == 0 && !result.output.contains("report"))
    #expect(
      try FileSystem.entries(of: desk.folder + "/out")
        == [".lock", "adapter", "checkpoints", "metrics.jsonl", "results.json", "run.yaml"])
    let report = try desk.ptune("report", "out", "--output", "page.html")
    #expect(report.output == "The report is in page.html.\n")
    #expect(try desk.text("page.html").hasPrefix("<!DOCTYPE html>"))
  }

  @Test("what is no run folder is refused with what to give")
  func noRun() throws {
    let desk = try Desk()
    let result = try desk.ptune("report", "model")
    #expect(result.status == 1)
    #expect(
      result.errors == """
        error: model is not a run folder: it has no metrics.jsonl
        help: give the output folder of a training, such as runs/NAME, or of a comparison

        """)
  }

  /// A desk with an adapter folder to find, and the command in bin/.
  private static func deskToComplete() throws -> Desk {
    let desk = try Desk()
    try FileManager.default.createDirectory(
      atPath: desk.folder + "/runs/a/adapter", withIntermediateDirectories: true)
    try desk.write("runs/a/adapter/adapter_config.json", "{}")
    try FileManager.default.createDirectory(atPath: desk.folder + "/bin", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: desk.folder + "/bin/ptune", withDestinationPath: try Desk.command())
    return desk
  }

  @Test("bash completes commands, run files, plugins and adapter folders")
  func completion() throws {
    let desk = try Self.deskToComplete()
    let script = """
      export PATH="$PWD/bin:$PATH"
      source <(bin/ptune completion bash)
      function completed() {
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMPREPLY=()
        _ptune ptune "${!#}" "${COMP_WORDS[$(($# - 2))]}"
        echo "${COMPREPLY[*]}"
      }
      completed ptune descr
      completed ptune train run.
      completed ptune train run.yaml --adapter prefix
      completed ptune predict --adapter ru
      """
    let result = try desk.shell(script)
    #expect(result.output == "describe\nrun.yaml\nprefix-tuning\nruns/a/adapter\n")
  }

  /// fish, where it is installed.
  static let fish = ["/usr/bin/fish", "/usr/local/bin/fish", "/opt/homebrew/bin/fish"].first(
    where: FileSystem.isFile)

  @Test("fish completes the same", .enabled(if: fish != nil, "fish is not installed"))
  func fishCompletion() throws {
    let desk = try Self.deskToComplete()
    let lines = ["descr", "train run.", "train run.yaml --adapter prefix", "inspect ru"]
    let script = lines.map { "complete -C 'ptune \($0)' | string split -f 1 \\t | string match '?*'\n" }
      .joined()
    let result = try desk.shell(
      "export PATH=\"$PWD/bin:$PATH\"; ptune completion fish >ptune.fish; "
        + "printf %s \"source ptune.fish\n\(script)\" >all.fish; \(Self.fish ?? "") --no-config all.fish")
    #expect(result.errors == "")
    #expect(result.output == "describe\nrun.yaml\nprefix-tuning\nruns/a/adapter\n")
  }
}
