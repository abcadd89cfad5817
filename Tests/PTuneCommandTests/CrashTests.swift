import Foundation
import PTuneFormats
import Testing

/// Some stops of `Scripts/check/crash-matrix/run`, and a model's file that is cut off while it is in use.
@Suite("Crashes") struct CrashTests {
  #if os(Linux)
    @Test(
      "a power cut or a full disk at a move or a removal leaves a whole folder, and going on ends with the same bits"
    )
    func stops() throws {
      let desk = try Desk()
      let script =
        URL(fileURLWithPath: Desk.fixtures).deletingLastPathComponent().deletingLastPathComponent().path
        + "/Scripts/check/crash-matrix/run"
      let outcome = try desk.shell(
        "'\(script)' --ptune '\(try Desk.command())' --quick --every 4 --scenario again --how cut-names,full")
      #expect(outcome.status == 0, "\(outcome.errors)")
      let document = try outcome.document()
      #expect((document["tried"]?.intValue ?? 0) >= 6, "\(outcome.output)")
      #expect(document["invalid"] == 0, "\(outcome.output)")
    }
  #endif

  @Test(
    "a model that is cut off while a training reads it is named as the reason, and what was written stays")
  func cutOff() throws {
    let desk = try Desk()
    let errors = Pipe()
    let (process, output, _) = try desk.endlessTraining(errors: errors)
    try #require(truncate("\(desk.folder)/model/model.safetensors", 8) == 0)
    output.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGBUS)
    let told = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
    #expect(
      told.hasSuffix(
        """
        error: a file that ptune reads, such as the model's, was truncated while it was in use (SIGBUS)
        help: restore the file; --resume continues a training from its checkpoint

        """), "\(told)")
  }
}
