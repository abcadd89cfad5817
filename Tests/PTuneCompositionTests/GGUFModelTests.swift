import Foundation
import PTuneEngine
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneText

/// A GGUF file in the place of a model folder. What it computes is among the cases of `DecoderTests`.
@Suite("GGUF models") struct GGUFModelTests {
  @Test(
    "config.json's keys and the weights are those of the folder it was made from",
    arguments: ["llama", "qwen2", "gpt2"])
  func same(_ name: String) throws {
    let folder = try ModelCheckpoint(folder: "\(Workbench.fixtures)/tiny-\(name)")
    let file = try ModelCheckpoint(folder: "\(Workbench.fixtures)/gguf/\(name).gguf")
    for (key, value) in file.config.members where key != "rope_parameters" && key != "architectures" {
      if let number = value.doubleValue, key.contains("eps") {
        let expected = try #require(try folder.config.number(key))
        #expect(abs(number / expected - 1) < 1e-7)
      } else if let expected = folder.config.value(key) {
        #expect(value == expected, "\(key)")
      }
    }
    #expect(
      file.configuration("rope_parameters.rope_theta") == folder.configuration("rope_parameters.rope_theta"))
    // The folder of Qwen2 has the bare model, whose names have no prefix.
    let prefix = name == "qwen2" ? "model." : ""
    let checkpoint = try #require(folder.weights as? Checkpoint)
    for tensor in checkpoint.names {
      #expect(
        try file.weights.floats(prefix + tensor).array == checkpoint.floats(tensor).array, "\(tensor)")
      #expect(try file.weights.floats(prefix + tensor).shape == checkpoint.floats(tensor).shape, "\(tensor)")
    }
  }

  @Test("an adapter tells the file from the folder, and from the same model quantised")
  func fingerprints() throws {
    let paths = ["tiny-llama", "gguf/llama.gguf", "gguf/llama-quantised.gguf"]
    let fingerprints = try paths.map {
      try ModelCheckpoint(folder: "\(Workbench.fixtures)/\($0)").fingerprint.weights
    }
    #expect(Set(fingerprints).count == paths.count)
  }

  @Test("the tokenizer within gives the ids of tokenizer.json")
  func tokenizer() throws {
    let within = try TokenizerLoader.load("\(Workbench.fixtures)/gguf/llama.gguf")
    let beside = try TokenizerLoader.load("\(Workbench.fixtures)/tiny-llama")
    #expect(within.vocabularySize == beside.vocabularySize)
    for text in [
      "", "the film was 12 good", " a joy<|endoftext|>\n\nfrom it's 3.5", "schön 日本", "<|endoftext|>",
    ] {
      let ids = (within.pieces(text).map(\.id), beside.pieces(text).map(\.id))
      #expect(ids.0 == ids.1, "\(text)")
      #expect(within.decode(ids.0) == beside.decode(ids.1))
      #expect(try within.encode(text, pair: "it").ids == beside.encode(text, pair: "it").ids)
    }
    #expect(within.specialTokens.end == 0)
  }

  /// A copy of the tiny Llama with other bytes in place of some.
  private func withCopy<Result>(
    changing change: (inout Data) throws -> Void, _ body: (String) throws -> Result
  ) throws -> Result {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "ptune-\(UUID().uuidString).gguf")
    defer { try? FileManager.default.removeItem(at: path) }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: "\(Workbench.fixtures)/gguf/llama.gguf"))
    try change(&bytes)
    try bytes.write(to: path)
    return try body(path.path)
  }

  private static func replace(_ old: String, with new: String, in bytes: inout Data) throws {
    bytes.replaceSubrange(try #require(bytes.range(of: Data(old.utf8))), with: Data(new.utf8))
  }

  @Test(
    "a tokenizer that is not known is refused by its name",
    arguments: [
      ("gpt-2", "gpt-3", "tokenizer.ggml.pre"), ("gpt2", "bert", "tokenizer.ggml.model"),
    ])
  func unknownTokenizer(_ old: String, _ new: String, _ key: String) throws {
    try withCopy(changing: { try Self.replace(old, with: new, in: &$0) }) { path in
      let error = #expect(throws: TextError.self) { try TokenizerLoader.load(path) }
      guard case .unsupported(path, key, new, _)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("the file says how words are cut, and whether a text gets a token in front")
  func cutting() throws {
    let text = "a\n\nb"
    let usual = try TokenizerLoader.load("\(Workbench.fixtures)/gguf/llama.gguf").encode(text)
    #expect(GGUFCutting.named["smollm"]?.splits == [.digits(individually: true), .words(.gpt2)])
    #expect(GGUFCutting.named["qwen2"]?.splits == [.words(.gpt4(digits: 1))])
    #expect(GGUFCutting.named["llama-bpe"]?.ignoresMerges == true)
    let key = Data("tokenizer.ggml.add_bos_token".utf8)
    let begun = try withCopy(changing: { $0[try #require($0.range(of: key)).upperBound + 4] = 1 }) { path in
      try TokenizerLoader.load(path).encode(text)
    }
    #expect(begun.ids == [0] + usual.ids)
  }

  @Test("a SentencePiece vocabulary gives the ids that sentencepiece gives, and texts come back")
  func sentencePiece() throws {
    let path = "\(Workbench.fixtures)/gguf/sentencepiece"
    let tokenizer = try TokenizerLoader.load("\(path).gguf")
    let cases = try #require(JSONValue.read("\(path).json").arrayValue)
    #expect(cases.count > 80)
    for test in cases {
      let text = try #require(test["text"]?.stringValue)
      let ids = try #require(test["ids"]?.arrayValue).compactMap { $0.intValue.map { Int32($0) } }
      #expect(tokenizer.pieces(text).map(\.id) == ids, "\(text.debugDescription)")
      #expect(try tokenizer.encode(text).ids == [1] + ids)
      // A ▁ of the text's own cannot be told from a blank.
      if !text.contains("▁") { #expect(tokenizer.decode(ids).utf8.elementsEqual(text.utf8)) }
    }
    // Behind a token of its own a text begins anew, as in llama.cpp.
    #expect(tokenizer.pieces("</s>ba").map(\.id) == [2] + tokenizer.pieces("ba").map(\.id))
  }

  @Test("mutated files load or are refused, but never crash")
  func mutated() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ptune-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("a.gguf")
    let whole = try Data(contentsOf: URL(fileURLWithPath: "\(Workbench.fixtures)/gguf/llama-quantised.gguf"))
    let header = 10_000
    var random = SeededGenerator(seed: 5)
    var refused = 0
    for _ in 0..<1000 {
      var bytes = whole
      for _ in 0...Int.random(in: 0..<3, using: &random) {
        bytes[Int.random(in: 0..<header, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      try bytes.write(to: path)
      do {
        let model = try ModelCheckpoint(folder: path.path)
        for name in ["model.embed_tokens.weight", "model.layers.1.self_attn.q_proj.weight"] {
          _ = try model.weight(name)
        }
        _ = try TokenizerLoader.load(path.path).pieces("the film")
      } catch is GGUFError {
        refused += 1
      } catch is TextError {
        refused += 1
      }
    }
    #expect((100..<1000).contains(refused))
  }
}
