import Foundation
import PTuneFormats
import Testing

@testable import PTuneText

/// A tokenizer comes with a model: what it says must not take memory or time out of proportion.
@Suite("Hostile tokenizers") struct TokenizerBudgetTests {
  private func problem(_ key: String, _ member: JSONValue) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: "ptune-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var document: JSONObject = [
      "model": ["type": "BPE", "vocab": ["a": 0, "b": 1], "merges": []], "added_tokens": [],
    ]
    document[key] = member
    let path = folder.path + "/tokenizer.json"
    try JSONValue.object(document).text().write(toFile: path, atomically: false, encoding: .utf8)
    do {
      _ = try TokenizerLoader.load(tokenizerJSON: path)
      return "nothing"
    } catch {
      return "\(error)"
    }
  }

  private static let replace: JSONValue = [
    "type": "Replace", "pattern": ["String": "a"], "content": "aaaaaaaa",
  ]

  @Test("steps that multiply a text are refused by the step that goes too far")
  func growth() throws {
    for (key, list) in [("normalizer", "normalizers"), ("decoder", "decoders")] {
      let two: JSONValue = .object(["type": "Sequence", list: .array([Self.replace, Self.replace])])
      #expect(try problem(key, two) == "nothing")
      let three: JSONValue = .object(
        ["type": "Sequence", list: .array(Array(repeating: Self.replace, count: 3))])
      #expect(try problem(key, three).contains("\(key).\(list)[2]"))
      #expect(try problem(key, three).contains("512 times"))
    }
  }

  @Test("many steps, long texts and many special tokens are refused")
  func counts() throws {
    let prepend: JSONValue = ["type": "Prepend", "prepend": "x"]
    let many: JSONValue = ["type": "Sequence", "normalizers": .array(Array(repeating: prepend, count: 65))]
    #expect(try problem("normalizer", many).contains("normalizer.normalizers[64]"))
    let long: JSONValue = ["type": "Prepend", "prepend": .string(String(repeating: "x", count: 257))]
    #expect(try problem("normalizer", long).contains("at most 256 bytes, and not 257"))
    let processor: JSONValue = [
      "type": "TemplateProcessing", "pair": [],
      "single": .array(Array(repeating: ["SpecialToken": ["id": "x", "type_id": 0]], count: 20)),
      "special_tokens": ["x": ["ids": .array(Array(repeating: 1, count: 20))]],
    ]
    #expect(try problem("post_processor", processor).contains("at most 256 tokens"))
  }

  @Test("an id far above the number of tokens is refused, wherever it stands")
  func gaps() throws {
    let vocabulary: JSONValue = ["type": "BPE", "vocab": ["a": 0, "b": 16_777_215], "merges": []]
    #expect(try problem("model", vocabulary).contains("model.vocab[\"b\"]"))
    #expect(try problem("model", vocabulary).contains("and not 16777215"))
    let added: JSONValue = [["id": 16_777_215, "content": "<x>"]]
    #expect(try problem("added_tokens", added).contains("and not 16777215"))
    #expect(try problem("added_tokens", [["id": 60_000, "content": "<x>"]]) == "nothing")
  }

  @Test("a long run of marks is ordered as a short one is")
  func marks() {
    let marks: [(class: UInt8, place: Int)] = (0..<100_000).map { (UInt8([230, 220, 1, 9][$0 % 4]), $0) }
    var sorted = marks
    MarkOrder.sort(&sorted, sorted.indices) { $0.class }
    #expect(zip(sorted, sorted.dropFirst()).allSatisfy { ($0.class, $0.place) < ($1.class, $1.place) })
    var short = Array(marks[..<20])
    MarkOrder.sort(&short, 2..<18) { $0.class }
    #expect(short[..<2].map(\.place) == [0, 1] && short[18...].map(\.place) == [18, 19])
    #expect(zip(short[2..<18], short[3..<18]).allSatisfy { ($0.class, $0.place) < ($1.class, $1.place) })
  }
}
