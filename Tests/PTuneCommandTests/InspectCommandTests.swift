import Foundation
import PTuneFormats
import Testing

@Suite("ptune inspect") struct InspectCommandTests {
  private func trained(_ flags: String...) throws -> Desk {
    let desk = try Desk()
    let result = try desk.ptune(["train", "run.yaml", "--quiet", "--no-report", "--max-steps", "2"] + flags)
    try #require(result.status == 0, "\(result.errors)")
    return desk
  }

  private static let prompt = ["--adapter", "prompt-tuning", "--set", "adapter.virtual_tokens=3"]

  @Test(
    "a prompt: what it is, its tensors, its tokens with their words, how they are alike, and its attention")
  func prompt() throws {
    let desk = try trained("--adapter", "prompt-tuning", "--set", "adapter.virtual_tokens=3")
    let result = try desk.ptune(
      "inspect", "out/adapter", "--nearest", "1", "--text", "the film was good")
    #expect(result.status == 0 && result.errors == "")
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0].hasPrefix("adapter     prompt-tuning (") && lines[0].contains("virtual_tokens=3"))
    #expect(lines.contains("task        tone, sequence-classification: negative, positive"))
    #expect(lines.contains { $0.hasPrefix("parameters  prompt-tuning 96, head.tone ") })
    #expect(lines.contains { $0.hasPrefix("prompt_embeddings") && $0.contains("3×32  F32") })
    #expect(lines.contains("Virtual tokens of prompt-tuning: rows among the word embeddings"))
    #expect(lines.contains("TOKEN   NORM  NEAREST WORDS"))
    #expect(lines.contains("How much they are alike (cosine)"))
    #expect(lines.contains("Attention to the prompt, averaged over 6 tokens of the text"))
    let document = try desk.ptune(
      "inspect", "out/adapter", "--nearest", "2", "--text", "the film was good", "--json"
    ).document()
    let tokens = try #require(document["prompts"]?.arrayValue?.first?["virtual_tokens"]?.arrayValue)
    #expect(tokens.count == 3)
    for token in tokens {
      let near = try #require(token["nearest"]?.arrayValue)
      // Two steps from words of the vocabulary, it is still next to them.
      #expect(near.count == 2 && near[0]["cosine"]?.doubleValue ?? 0 > 0.8)
    }
    let layers = try #require(document["attention"]?["layers"]?.arrayValue)
    #expect(layers.count == 3)
    for layer in layers {
      let heads = (layer["heads"]?.arrayValue ?? []).compactMap(\.doubleValue)
      let mean = try #require(layer["prompt"]?.doubleValue)
      #expect(heads.count == 4 && abs(heads.reduce(0, +) / 4 - mean) < 1e-9 && mean > 0 && mean < 1)
      let virtual = (layer["virtual_tokens"]?.arrayValue ?? []).compactMap(\.doubleValue)
      #expect(virtual.count == 3 && abs(virtual.reduce(0, +) - mean) < 1e-9)
    }
    let parameters = document["parameters"]
    #expect(parameters?["parts"]?["prompt-tuning"] == 96)
    #expect(
      parameters?["total"]?.intValue
        == document["tensors"]?.arrayValue?.reduce(0) { sum, tensor in
          sum + (tensor["shape"]?.arrayValue ?? []).compactMap(\.intValue).reduce(1, *)
        })
  }

  @Test("a pool: which entries serve which labels, by the weights that an evaluation counts")
  func pool() throws {
    let desk = try trained(
      "--adapter", "prompt-pool", "--set", "adapter.virtual_tokens=2", "--set", "adapter.pool_size=3",
      "--set",
      "selector=attention")
    let arguments = ["inspect", "out/adapter", "--nearest", "0", "--data", "dev.tsv"]
    let result = try desk.ptune(arguments)
    #expect(result.status == 0 && result.errors == "")
    #expect(result.output.contains("Virtual tokens of prompt-pool: a pool of 3 prompts of 2"))
    #expect(result.output.contains("ENTRY  ALL (16)  negative (8)  positive (8)\n"))
    let document = try desk.ptune(arguments + ["--json"]).document()
    let evaluated = try desk.ptune("eval", "--adapter", "out/adapter", "--data", "dev.tsv", "--json")
      .document()
    #expect(document["selection"] != nil && document["selection"] == evaluated["selection"])
    #expect(
      try desk.ptune(arguments + ["--text", "the film", "--html", "page.html"]).output.hasPrefix("adapter"))
    let page = try desk.text("page.html")
    for id in ["adapter-facts", "prompt-0-tokens", "prompt-0-similarity", "attention-heads", "pool"] {
      #expect(page.components(separatedBy: "id=\"\(id)\"").count == 2, "\(id)")
    }
  }

  @Test("adapters that work together, and what has no virtual tokens")
  func several() throws {
    let desk = try trained("--adapter", "prefix-tuning", "--adapter", "lora")
    let result = try desk.ptune("inspect", "out/adapter", "--text", "the film")
    #expect(result.status == 0)
    #expect(
      result.output.contains("adapter     lora (") && result.output.contains("adapter     prefix-tuning ("))
    #expect(result.output.contains("Virtual tokens of prefix-tuning: keys and values of layers"))
    #expect(!result.output.contains("Virtual tokens of lora"))
    // What a training leaves names both, too.
    #expect(try JSONValue.read(desk.folder + "/out/results.json")["adapters"] == ["prefix-tuning", "lora"])
    let events = try #require(
      FileSystem.entries(of: desk.folder + "/out").first { $0.hasPrefix("events.out.tfevents.") })
    let recorded = String(decoding: try desk.bytes("out/" + events), as: UTF8.self)
    #expect(recorded.contains("prefix-tuning + lora") && recorded.contains("adapter.lora.r"))
    #expect(try desk.ptune("report", "out").status == 0)
    let page = try desk.text("out/report.html")
    #expect(page.contains("prefix-tuning + lora on model") && page.contains("lora, r<"))
    #expect(result.output.contains("there are no nearest ones."))
  }

  @Test("PEFT's folder, without its base model and with it")
  func peft() throws {
    let desk = try Desk()
    let adapter = Desk.fixtures + "/peft/bert-seq-prompt_tuning"
    let without = try desk.ptune("inspect", adapter)
    #expect(without.status == 0)
    #expect(without.output.contains("PEFT        PROMPT_TUNING for SEQ_CLS\n"))
    #expect(without.output.contains("            num_virtual_tokens 2\n"))
    #expect(
      without.errors.contains("warning: virtual tokens and shares are not known: the base model of"))
    #expect(
      without.errors.contains(
        "help: `ptune pull tiny-bert-classifier` fetches it; or name it with --base-model"))
    let with = try desk.ptune(
      "inspect", adapter, "--base-model", Desk.fixtures + "/tiny-bert-classifier", "--json")
    let document = try with.document()
    #expect(with.status == 0 && document["adapters"]?.arrayValue?.count == 1)
    #expect(document["prompts"]?.arrayValue?.first?["kind"] == "input")
    let text = try desk.ptune("inspect", adapter, "--text", "the film")
    #expect(text.status == 1 && text.output == "")
    #expect(text.errors.contains("help: give its present folder with --base-model"))
  }

  @Test("wrong arguments and folders are named")
  func wrong() throws {
    let desk = try trained()
    func errors(_ arguments: String..., status: Int32 = 1) throws -> String {
      let result = try desk.ptune(["inspect"] + arguments)
      #expect(result.status == status && result.output == "", "\(arguments)")
      return result.errors
    }
    #expect(
      try errors("model") == """
        error: model is not an adapter folder: it has no adapter_config.json
        help: give the folder that 'ptune train' wrote, OUTPUT/adapter, or one that PEFT saved

        """)
    #expect(
      try errors("out/adapter", "--data", "dev.tsv") == """
        error: p-tuning-v2 has no pool whose entries could be counted
        help: leave --data out; `ptune eval` measures an adapter

        """)
    #expect(
      try errors("out/adapter", "--task", "tome").hasPrefix(
        "error: there is no task 'tome'; the adapter has tone"))
    #expect(
      try errors("out/adapter", "--nearest", "1001", status: 2).contains(
        "--nearest has to be within 0 and 1000"))
    #expect(
      try errors("out/adapter", "--label-column", "x", status: 2).contains("--label-column needs --data"))
    #expect(try errors("out/adapter", "--text-pair", "x", status: 2).contains("--text-pair needs --text"))
    #expect(try errors("out", "--base-model", "nowhere").contains("out is not an adapter folder"))
  }
}
