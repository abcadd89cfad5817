import PTuneFormats
import Testing

@Suite("ptune bench") struct BenchCommandTests {
  @Test("steps answers each command with a line of JSON, and learns from the same batches each time")
  func steps() throws {
    let desk = try Desk()
    let commands = ["train 1", "score 2", "train 6", "train 1"]
    let result = try desk.ptune("bench", "steps", "run.yaml", input: commands.joined(separator: "\n"))
    #expect(result.status == 0)
    #expect(result.errors == "")
    let answers = try result.output.split(separator: "\n").map { try JSONValue.parse(String($0)) }
    #expect(answers.map { $0["command"]?.stringValue } == commands)
    #expect(answers.map { $0["seconds"]?.arrayValue?.count } == [1, 2, 6, 1])
    let seconds = answers.flatMap { $0["seconds"]?.arrayValue ?? [] }.map { $0.doubleValue ?? 0 }
    #expect(seconds.allSatisfy { $0 > 0 })
    #expect(answers.allSatisfy { ($0["peak_memory_bytes"]?.intValue ?? 0) > 1 << 20 })
    // Both times the loss of the first batch.
    let losses = try [0, 3].map { try #require(answers[$0]["loss"]?.doubleValue) }
    #expect(losses[1] < losses[0])
    #expect(!FileSystem.exists(desk.folder + "/out"))
  }

  @Test("steps refuses a line that is no command")
  func stranger() throws {
    let result = try Desk().ptune("bench", "steps", "run.yaml", input: "train\n")
    #expect(result.status == 2)
    #expect(
      result.errors.contains("error: 'train' is not a command; the commands are `train N` and `score N`"))
  }

  @Test("operators measures products, attention and norms")
  func operators() throws {
    let result = try Desk().ptune("bench", "operators", "--quick", "--json", "--threads", "1")
    #expect(result.status == 0)
    let document = try result.document()
    #expect(document["threads"]?.intValue == 1)
    let products = try #require(document["products"]?.arrayValue)
    let others = try #require(document["operators"]?.arrayValue)
    let names = Set(others.compactMap { $0["operator"]?.stringValue })
    #expect(
      names.isSuperset(of: [
        "attention forward", "attention backward", "layer norm forward", "gelu backward",
      ]))
    let rates = (products + others).map { $0["rate"]?.doubleValue ?? 0 }
    #expect(rates.allSatisfy { $0 > 0 && $0.isFinite })
    // Of products in single precision.
    let plain = products.filter { $0["operator"]?.stringValue?.contains("bf16") == false }
    #expect(plain.count < products.count)
    #expect(document["peak_gflops"]?.doubleValue == plain.compactMap { $0["rate"]?.doubleValue }.max())
  }
}
