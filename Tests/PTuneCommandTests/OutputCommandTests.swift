import Foundation
import PTuneFormats
import Testing

/// What commands write goes where it was asked for, and nowhere else.
@Suite("Outputs of commands") struct OutputCommandTests {
  private func trained() throws -> Desk {
    let desk = try Desk()
    let training = try desk.ptune("train", "run.yaml", "--max-steps", "2", "--quiet")
    try #require(training.status == 0, "\(training.errors)")
    return desk
  }

  private func kind(_ path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
  }

  @Test("devices, pipes and standard output are written to")
  func special() throws {
    let desk = try trained()
    let predict = "ptune predict --adapter out/adapter --input dev.tsv"
    let plain = try desk.shell(predict)
    try #require(plain.status == 0 && !plain.output.isEmpty)
    #expect(try desk.shell("\(predict) --output -").output == plain.output)
    // A file behind standard output keeps what others wrote.
    let shared = try desk.shell("{ echo before; \(predict) --output /dev/stdout; echo after; } >all; cat all")
    #expect(shared.output == "before\n\(plain.output)after\n")
    #expect(try desk.shell("\(predict) --output >(cat >piped); sleep 0.2; cat piped").output == plain.output)
    #expect(
      try desk.shell("mkfifo pipe; cat pipe >read & \(predict) --output pipe && wait && cat read").output
        == plain.output)
    #expect(kind(desk.folder + "/pipe") == S_IFIFO)
    for command in [
      "\(predict) --output link", "ptune tokenize --model model --text a --output link",
      "ptune report out --output link", "ptune inspect out/adapter --html link >shown",
    ] {
      #expect(try desk.shell("ln -sf /dev/null link; \(command)").status == 0, "\(command)")
      #expect(kind(desk.folder + "/link") == S_IFLNK && kind("/dev/null") == S_IFCHR, "\(command)")
    }
  }

  @Test("a file that is read is not written over, by whatever name")
  func inputs() throws {
    let desk = try trained()
    let before = try desk.text("dev.tsv")
    for command in [
      "predict --adapter out/adapter --input dev.tsv --output dev.tsv",
      "predict --adapter out/adapter --input dev.tsv --output ./alias",
      "tokenize --model model --input dev.tsv --output alias",
      "inspect out/adapter --data dev.tsv --html alias",
      "report out --output out/metrics.jsonl",
    ] {
      let outcome = try desk.shell("ln -sf dev.tsv alias; ptune \(command)")
      #expect(outcome.status == 1, "\(command)")
      #expect(
        outcome.errors.contains("which is read\nhelp: name another file"), "\(command): \(outcome.errors)")
    }
    #expect(try desk.text("dev.tsv") == before)
  }

  @Test("a run folder that was received leads nowhere else")
  func links() throws {
    let desk = try trained()
    let theirs = desk.folder + "/theirs"
    try FileManager.default.createDirectory(atPath: theirs, withIntermediateDirectories: false)
    for name in ["a", "b", "c", "d", "e"] { try desk.write("theirs/\(name)", "mine") }
    try desk.write("theirs/.ptune-1-1.partial", "mine")
    try desk.write("theirs/step-1.safetensors", "mine")
    let before = try FileManager.default.contentsOfDirectory(atPath: theirs).sorted()
    _ = try desk.shell(
      """
      cd out; for file in report.html run.yaml results.json predictions.jsonl; do rm -f $file; ln -s ../theirs/a $file; done
      ln -s ../theirs folder; mkdir deep; ln -s ../.. deep/loop; rm -rf adapter; ln -s ../theirs adapter
      """)
    let report = try desk.ptune("report", "out")
    #expect(report.status == 1 || kind(desk.folder + "/out/report.html") == S_IFREG)
    let trained = try desk.ptune("train", "run.yaml", "--max-steps", "2", "--quiet")
    #expect(trained.status == 0, "\(trained.errors)")
    // What is appended to, and folders that hold several files, are refused.
    for (name, target) in [
      ("metrics.jsonl", "../theirs/b"), (".lock", "../theirs/c"), ("checkpoints", "../theirs"),
    ] {
      let outcome = try desk.shell(
        "rm -rf out/\(name); ln -s \(target) out/\(name); ptune train run.yaml --overwrite --max-steps 2 --quiet --set training.checkpoint_every=1"
      )
      if outcome.status != 0 {
        #expect(outcome.errors.contains("links to files and folders are not followed"), "\(outcome.errors)")
      }
      _ = try desk.shell("rm -f out/\(name)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: theirs).sorted() == before)
    for name in before { #expect(try desk.text("theirs/\(name)") == "mine") }
  }

  @Test("a prediction that is stopped leaves no half of its file", arguments: [SIGINT, SIGTERM, SIGKILL])
  func stopped(signal: Int32) throws {
    let desk = try trained()
    let rows = String(repeating: "the film was good\tpositive\n", count: 200_000)
    try desk.write("many.tsv", "sentence\tlabel\n" + rows)
    try FileManager.default.createDirectory(atPath: desk.folder + "/to", withIntermediateDirectories: false)
    let process = try desk.process(
      try Desk.command(),
      ["predict", "--adapter", "out/adapter", "--input", "many.tsv", "--output", "to/all"])
    process.standardError = FileHandle.nullDevice
    try process.run()
    while try FileSystem.entries(of: desk.folder + "/to").isEmpty { usleep(10_000) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    if signal == SIGKILL {
      // Nobody could clean up; the next one does.
      let next = try desk.ptune("predict", "--adapter", "out/adapter", "--text", "a", "--output", "to/one")
      #expect(next.status == 0)
      #expect(try FileSystem.entries(of: desk.folder + "/to") == ["one"])
    } else {
      #expect(process.terminationStatus == 130)
      #expect(try FileSystem.entries(of: desk.folder + "/to").isEmpty)
    }
  }

  @Test("a named pipe as input is refused rather than waited for; the shell's own pipes are read")
  func pipes() throws {
    let desk = try trained()
    _ = try desk.shell("mkfifo pipe")
    for command in [
      ["predict", "--adapter", "out/adapter", "--input", "pipe"], ["train", "pipe"],
      ["tokenize", "--model", "pipe", "--text", "a"],
      ["train", "run.yaml", "--set", "tasks.tone.data.train=pipe"], ["inspect", "pipe"],
      ["eval", "--adapter", "out/adapter", "--data", "pipe"],
    ] {
      let outcome = try desk.shell("timeout 20 \(try Desk.command()) \(command.joined(separator: " "))")
      #expect(outcome.status == 1, "\(command): \(outcome.status)")
    }
    let piped = try desk.shell("ptune predict --adapter out/adapter --input <(cat dev.tsv) --format tsv")
    #expect(
      piped.output == (try desk.shell("ptune predict --adapter out/adapter --input dev.tsv").output),
      "\(piped.errors)")
  }
}
