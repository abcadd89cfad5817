import Foundation
import PTuneFormats
import Testing

@Suite("ptune train --profile") struct ProfileTests {
  @Test("it writes a trace of every operator, and prints what the trace adds up to")
  func profile() throws {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml", "--profile", "--max-steps", "4")
    #expect(result.status == 0)
    #expect(
      result.output.contains("\nThe trace is in FOLDER/out/profile.json; https://ui.perfetto.dev opens it.\n")
    )
    let trace = try JSONValue.read(desk.folder + "/out/profile.json")
    let events = try #require(trace["traceEvents"]?.arrayValue)
    #expect(events.allSatisfy { $0["ph"]?.stringValue == "X" && $0["pid"]?.intValue == 1 })
    #expect(events.allSatisfy { ($0["dur"]?.doubleValue ?? -1) >= 0 && ($0["ts"]?.doubleValue ?? -1) >= 0 })

    // Milliseconds of steps 2 to 4 by operator and pass, as the trace has them.
    var sums: [String: Double] = [:]
    var kinds: [String: Set<String>] = [:]
    for event in events {
      let name = try #require(event["name"]?.stringValue)
      let pass = try #require(event["cat"]?.stringValue)
      kinds[pass, default: []].insert(name)
      guard try #require(event["args"]?["step"]?.intValue) >= 2 else { continue }
      let label = ["forward", "backward"].contains(pass) ? "\(name) \(pass)" : name
      sums[label, default: 0] += try #require(event["dur"]?.doubleValue) / 1000
    }
    #expect(kinds["step"] == ["step"])
    #expect(kinds["around"] == ["planning", "optimizer"])
    let (forward, backward) = (kinds["forward"] ?? [], kinds["backward"] ?? [])
    #expect(forward.isSuperset(of: ["frozen_linear", "attention", "layer_norm"]))
    #expect(backward.isSubset(of: forward) && backward.contains("attention"))

    let lines = result.output.components(separatedBy: "\n")
    let first = try #require(lines.firstIndex { $0.hasPrefix("Profile of steps 2 to 4") })
    var shown: [String: Double] = [:]
    for line in lines[(first + 3)...].prefix(while: { !$0.isEmpty }) {
      let words = line.split(separator: " ").map(String.init)
      let number = try #require(words.firstIndex { Double($0) != nil })
      shown[words[..<number].joined(separator: " ")] = Double(words[number])
    }
    let rest = shown["everything else"] ?? -1
    shown["everything else"] = nil
    #expect(Set(shown.keys) == Set(sums.keys))
    for (label, time) in shown { #expect(abs(time - (sums[label] ?? -1) / 3) <= 0.0051, "\(label)") }
    let parts = sums.filter { $0.key != "step" }.values.reduce(0, +)
    #expect(abs(rest - ((sums["step"] ?? -1) - parts) / 3) <= 0.0051)
  }

  @Test("without it no trace is written, and the training is the same")
  func without() throws {
    let desk = try Desk()
    func train(_ output: String, _ flags: String...) throws -> [UInt8] {
      let result = try desk.ptune(["train", "run.yaml", "--max-steps", "3", "--output", output] + flags)
      #expect(result.status == 0)
      return try desk.bytes(output + "/adapter/adapter_model.safetensors")
    }
    let (plain, measured) = (try train("plain"), try train("measured", "--profile"))
    #expect(plain == measured)
    #expect(!FileSystem.exists(desk.folder + "/plain/profile.json"))
    #expect(FileSystem.exists(desk.folder + "/measured/profile.json"))
  }
}
