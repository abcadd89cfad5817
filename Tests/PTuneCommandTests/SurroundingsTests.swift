import Foundation
import PTuneFormats
import Testing

/// What `ptune` does where the machine is not as usual.
@Suite("Surroundings") struct SurroundingsTests {
  @Test("the lock on a run folder goes with a process that was killed, and keeps a second one out before")
  func lock() throws {
    let desk = try Desk()
    let (process, _, _) = try desk.endlessTraining()
    let second = try desk.ptune("train", "run.yaml", "--quiet", "--max-steps", "1")
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(second.status == 1)
    #expect(
      second.errors == """
        error: another ptune is training into 'FOLDER/out'
        help: wait until it ends, or give this run another folder with --output

        """)
    #expect(try desk.ptune("train", "run.yaml", "--quiet", "--max-steps", "1", "--overwrite").status == 0)
  }

  /// A line of shell as a user who may read everything and write only into `mine`.
  private func asNobody(_ desk: Desk, _ line: String) throws -> Outcome {
    let root = geteuid() == 0
    return try desk.shell(
      """
      mkdir mine; chmod 755 .; chmod -R a-w,a+rX model run.yaml *.tsv; \(root ? "chown 65534:65534 mine" : "chmod a-w .")
      nobody() { \(root ? "setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=$PWD/mine " : "")\
      "$@"; }
      ptune() { nobody '\(try Desk.command())' "$@"; }
      \(line)
      """)
  }

  #if os(Linux)
    @Test("a model and data that may only be read are enough")
    func readOnlyInputs() throws {
      let desk = try Desk()
      let result = try asNobody(desk, "ptune train run.yaml --quiet --max-steps 2 --output mine/out")
      #expect(result.status == 0, "\(result.errors)")
      #expect(FileSystem.isFile(desk.folder + "/mine/out/adapter/adapter_config.json"))
    }

    @Test("an output folder that may not be written to is an error, with what to look at")
    func readOnlyOutput() throws {
      let desk = try Desk()
      let result = try asNobody(desk, "ptune train run.yaml --quiet --max-steps 2")
      #expect(result.status == 1)
      #expect(
        result.errors == """
          error: cannot create the folder 'FOLDER/out': Permission denied
          help: check who may write there: ls -ld 'FOLDER'

          """)
    }
  #endif

  @Test("a home that is missing or nowhere is none of training's business")
  func home() throws {
    let desk = try Desk()
    for home in ["-u HOME", "HOME=/nowhere", "HOME="] {
      let result = try desk.shell(
        "env -u XDG_DATA_HOME -u XDG_CACHE_HOME -u HF_HOME -u TERM \(home) '\(try Desk.command())' train run.yaml "
          + "--quiet --max-steps 1 --overwrite")
      #expect(result.status == 0, "\(home): \(result.errors)")
    }
  }

  @Test("numbers and letters do not follow the locale")
  func locales() throws {
    let desk = try Desk()
    for locale in ["C", "tr_TR.UTF-8", "de_DE.UTF-8", "no such"] {
      let result = try desk.shell(
        "export LC_ALL='\(locale)'; ptune train run.yaml --quiet --max-steps 2 --output '\(locale)'")
      #expect(result.status == 0, "\(locale): \(result.errors)")
      let file = "adapter/adapter_model.safetensors"
      #expect(try desk.bytes("\(locale)/\(file)") == desk.bytes("C/\(file)"))
    }
  }

  @Test("a reader that has seen enough ends the command, without an error")
  func head() throws {
    let desk = try Desk()
    #expect(try desk.ptune("train", "run.yaml", "--quiet", "--max-steps", "1").status == 0)
    let rows = (0..<3000).map { "{\"sentence\": \"the film was good \($0)\"}\n" }
    try desk.write("rows.jsonl", rows.joined())
    for command in [
      "list-plugins", "describe bert", "predict --adapter out/adapter --input rows.jsonl", "train --help",
    ] {
      let result = try desk.shell("ptune \(command) | head -n 1; echo ${PIPESTATUS[0]}")
      #expect(result.output.hasSuffix("\n0\n"), "\(command): \(result.output)")
      #expect(result.errors == "", "\(command)")
    }
  }
}
