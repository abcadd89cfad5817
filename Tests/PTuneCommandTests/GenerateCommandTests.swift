import Foundation
import PTuneFormats
import Testing

@Suite("ptune generate") struct GenerateCommandTests {
  private static let gpt2 = Desk.fixtures + "/tiny-gpt2"
  private static let llama = Desk.fixtures + "/tiny-llama"

  /// A desk with the run of a causal model; `model` is the name of its folder.
  private func causal(tasks: [String] = ["stories"], adapter: String = "prompt-tuning") throws -> Desk {
    let desk = try Desk()
    try desk.write(
      "train.jsonl",
      (0..<12).map {
        #"{"prompt": "the film", "completion": " was \#(["good", "bad", "slow"][$0 % 3])"}"# + "\n"
      }.joined())
    let task = tasks.map {
      """
        - name: \($0)
          head: causal-lm
          data: {train: train.jsonl, text: prompt, text_pair: completion}

      """
    }.joined()
    try desk.write(
      "causal.yaml",
      """
      base: {model: \(Self.llama)}
      adapter: {plugin: \(adapter), virtual_tokens: 3}
      tasks:
      \(task)training: {max_steps: 3, batch_size: 4, learning_rate: 0.3, threads: 2}
      output: out
      """)
    let trained = try desk.ptune("train", "causal.yaml", "--quiet")
    try #require(trained.status == 0, "\(trained.errors)")
    return desk
  }

  private func lines(_ outcome: Outcome) throws -> [JSONValue] {
    try outcome.output.split(separator: "\n").map { try JSONValue.parse(String($0)) }
  }

  @Test("one prompt gives text, several give lines of JSON in their order")
  func prompts() throws {
    let desk = try Desk()
    let base = ["generate", "--model", Self.gpt2, "--max-new-tokens", "12"]
    let one = try desk.ptune(base + ["--prompt", "the film was"])
    #expect(one.status == 0)
    #expect(one.errors == "")
    let several = try desk.ptune(base + ["--prompt", "a story", "--prompt", "the film was"])
    let rows = try lines(several)
    #expect(rows.map { $0.objectValue?.keys } == Array(repeating: Self.keys, count: 2))
    #expect(rows.map { $0["prompt"] } == ["a story", "the film was"])
    #expect(rows[1]["text"]?.stringValue.map { $0 + "\n" } == one.output)
    #expect(rows[1]["tokens"] == 12)
    #expect(rows[1]["finish"] == "length")
    let json = try desk.ptune(base + ["--prompt", "the film was", "--json"])
    #expect(try lines(json) == [rows[1]])
    let streamed = try desk.ptune(base + ["--prompt", "a story", "--prompt", "the film was", "--stream"])
    #expect(streamed.output == rows.map { ($0["text"]?.stringValue ?? "") + "\n" }.joined())
  }

  private static let keys = ["prompt", "text", "finish", "prompt_tokens", "tokens"]

  @Test("prompts are lines of text, rows of JSON, token ids; of a file or of standard input")
  func files() throws {
    let desk = try Desk()
    let base = ["generate", "--model", Self.gpt2, "--max-new-tokens", "5"]
    try desk.write("prompts.txt", "the film was\na\tstory\n")
    let text = try desk.ptune(base + ["--input", "prompts.txt"])
    #expect(try lines(text).map { $0["prompt"] } == ["the film was", "a\tstory"])
    let piped = try desk.ptune(
      base + ["--input", "-", "--batch-size", "1"], input: "the film was\na\tstory\n")
    #expect(piped.output == text.output)
    let rows = """
      {"id": 7, "prompt": "the film was"}
      {"text": "the film was", "prompt": null}
      {"id": "x", "input_ids": [50, 60]}

      """
    try desk.write("prompts.jsonl", rows)
    let read = try lines(try desk.ptune(base + ["--input", "prompts.jsonl"]))
    #expect(read.map { $0["id"]?.stringValue } == ["7", nil, "x"])
    #expect(read[0]["text"] == (try lines(text))[0]["text"])
    #expect(read[1]["text"] == read[0]["text"])
    #expect(read[2].objectValue?.keys == ["id", "text", "finish", "prompt_tokens", "tokens", "token_ids"])
    #expect(read[2]["prompt_tokens"] == 2)
    #expect(read[2]["token_ids"]?.arrayValue?.count == 5)
    let empty = try lines(try desk.ptune(base + ["--prompt", "", "--json"]))[0]
    #expect(empty["prompt_tokens"] == 1)
    let formatted = try desk.ptune(base + ["--input", "-", "--format", "jsonl"], input: rows)
    #expect(try lines(formatted) == read)
  }

  @Test("an adapter changes what comes, its tasks each in their way")
  func adapters() throws {
    let desk = try causal()
    let arguments = ["--prompt", "the film", "--max-new-tokens", "10"]
    let base = try desk.ptune(["generate", "--model", Self.llama] + arguments)
    let tuned = try desk.ptune(["generate", "--adapter", "out/adapter"] + arguments)
    #expect(tuned.status == 0, "\(tuned.errors)")
    #expect(tuned.output != base.output)
    let moved = ["generate", "--adapter", "out/adapter", "--base-model", Self.llama] + arguments
    #expect(try desk.ptune(moved).output == tuned.output)

    let several = try causal(tasks: ["one", "two"], adapter: "multitask-prompt-tuning, form: factors")
    let which = try several.ptune(["generate", "--adapter", "out/adapter"] + arguments)
    #expect(
      which.errors == "error: the adapter has several tasks: one, two\nhelp: name one of them with --task\n")
    let named = try several.ptune(["generate", "--adapter", "out/adapter", "--task", "two"] + arguments)
    #expect(named.status == 0)
  }

  @Test("a task's template stands around a prompt, with the adapter's rows in it")
  func templates() throws {
    let desk = try Desk()
    try desk.write(
      "template.yaml",
      """
      base: {model: \(Self.gpt2)}
      adapter: {plugin: p-tuning, virtual_tokens: 3, placement: template, encoder: none}
      tasks:
        - name: tone
          head: {plugin: sequence-classification, pooling: last}
          data: {train: train.tsv, text: sentence, template: "{prompt:1} {text} {prompt:2} was"}
      training: {max_steps: 2, batch_size: 4, threads: 2}
      output: out
      """)
    let trained = try desk.ptune("train", "template.yaml", "--quiet")
    try #require(trained.status == 0, "\(trained.errors)")
    let base = ["generate", "--adapter", "out/adapter", "--max-new-tokens", "4"]
    let one = try lines(try desk.ptune(base + ["--prompt", "a", "--json"]))[0]
    #expect(one["tokens"] == 4)
    // The template's word comes on top.
    let bare = try lines(
      try desk.ptune("generate", "--model", Self.gpt2, "--prompt", "a was", "--json"))[0]
    #expect(one["prompt_tokens"] == bare["prompt_tokens"])
    let row = try lines(
      try desk.ptune(base + ["--input", "-", "--format", "jsonl"], input: "{\"sentence\": \"a\"}\n"))
    #expect(row == [one])
  }

  @Test("a seed gives the same text again, whatever the batch size")
  func seeds() throws {
    let desk = try Desk()
    func drawn(_ more: String...) throws -> String {
      try desk.ptune(
        ["generate", "--model", Self.llama, "--prompt", "a", "--prompt", "the film", "--prompt", "it was"]
          + ["--max-new-tokens", "20"] + more
      ).output
    }
    let first = try drawn("--temperature", "1.5", "--top-k", "50", "--top-p", "0.95", "--min-p", "0.01")
    #expect(
      try drawn(
        "--temperature", "1.5", "--top-k", "50", "--top-p", "0.95", "--min-p", "0.01", "--batch-size", "1")
        == first)
    #expect(try drawn("--top-k", "50") == drawn("--top-k", "50", "--temperature", "1", "--seed", "0"))
    #expect(try drawn("--top-k", "50") != drawn("--top-k", "50", "--seed", "1"))
    #expect(try drawn() == drawn("--temperature", "0", "--seed", "1"))
    #expect(try drawn("--top-k", "1") == drawn())
    #expect(try drawn("--repetition-penalty", "1.8") != drawn())
  }

  @Test("a text ends in front of a stop string, or with the token that ends a text")
  func ends() throws {
    let desk = try Desk()
    let base = ["generate", "--model", Self.gpt2, "--prompt", "the film was", "--json"]
    let whole = try #require(try lines(try desk.ptune(base))[0]["text"]?.stringValue)
    let stop = String(whole.dropFirst(6).prefix(3))
    let cut = try lines(try desk.ptune(base + ["--stop", "never there", "--stop", stop]))[0]
    #expect(cut["finish"] == "stop")
    let text = try #require(cut["text"]?.stringValue)
    #expect(whole.hasPrefix(text + stop))
    #expect(!text.contains(stop))

    // The token that came third ends a text here.
    let ids = ["generate", "--input", "-", "--format", "jsonl"]
    let rows = #"{"input_ids": [40, 50, 60]}"# + "\n"
    let tokens = try #require(
      try lines(try desk.ptune(ids + ["--model", Self.gpt2], input: rows))[0]["token_ids"]?.arrayValue)
    try FileManager.default.copyItem(atPath: Self.gpt2, toPath: desk.folder + "/gpt2")
    let first = try #require(tokens.firstIndex(of: tokens[2]))
    for end in ["[199, \(tokens[2].intValue ?? 0)]", "\(tokens[2].intValue ?? 0)"] {
      try desk.write("gpt2/generation_config.json", "{\"eos_token_id\": \(end)}")
      let ended = try lines(try desk.ptune(ids + ["--model", "gpt2"], input: rows))[0]
      #expect(ended["finish"] == "end")
      #expect(ended["token_ids"]?.arrayValue == Array(tokens[..<first]))
    }
    try desk.write("gpt2/generation_config.json", "{\"eos_token_id\": \"end\"}")
    let wrong = try desk.ptune(ids + ["--model", "gpt2"], input: rows)
    #expect(
      wrong.errors.hasPrefix(
        "error: FOLDER/gpt2/generation_config.json: expected 'eos_token_id' to be a token's id"))
  }

  @Test("whoever has read enough may close the pipe")
  func closedPipe() throws {
    let desk = try Desk()
    try desk.write("prompts.txt", String(repeating: "the film was\n", count: 3000))
    let result = try desk.shell(
      "ptune generate --model \(Self.gpt2) --input prompts.txt --max-new-tokens 2 | head -n 1; "
        + "echo ${PIPESTATUS[0]}")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.last == "0")
    #expect(result.errors == "")
  }

  @Test("Ctrl-C ends with whole lines", arguments: [SIGINT, SIGTERM])
  func interruption(signal: Int32) throws {
    let desk = try Desk()
    try desk.write("prompts.txt", String(repeating: "the film was\n", count: 100_000))
    let process = try desk.process(
      try Desk.command(), ["generate", "--model", Self.gpt2, "--input", "prompts.txt"])
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    var output = pipe.fileHandleForReading.availableData
    kill(process.processIdentifier, signal)
    output += try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 130)
    let text = String(decoding: output, as: UTF8.self)
    #expect(text.hasSuffix("}\n"))
    for line in text.split(separator: "\n") {
      #expect(throws: Never.self) { try JSONValue.parse(String(line)) }
    }
  }

  @Test("a checkpoint without a head over the vocabulary is refused")
  func noVocabularyHead() throws {
    let desk = try Desk()
    try FileManager.default.copyItem(atPath: Desk.fixtures + "/tiny-qwen2", toPath: desk.folder + "/qwen2")
    let config = try desk.text("qwen2/config.json")
    try desk.write(
      "qwen2/config.json",
      config.replacingOccurrences(of: "\"tie_word_embeddings\": true", with: "\"tie_word_embeddings\": false")
    )
    let result = try desk.ptune("generate", "--model", "qwen2", "--prompt", "a")
    #expect(result.status == 1)
    #expect(result.errors.contains("the checkpoint has no lm_head.weight"), "\(result.errors)")
  }

  @Test("an adapter whose rows have no place in a text that grows is refused")
  func placements() throws {
    let desk = try causal(adapter: "prompt-tuning, placement: middle")
    let result = try desk.ptune("generate", "--adapter", "out/adapter", "--prompt", "a")
    #expect(result.status == 1)
    #expect(result.errors.contains("inject: its rows stand in the middle of the text"), "\(result.errors)")
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    var input = ""
    let errors: String
    var output = 0
    var testDescription: String { arguments.joined(separator: " ") }
  }

  @Test(
    "what cannot be generated is said with its place",
    arguments: [
      Mistake(
        arguments: ["--model", "model", "--prompt", "a"],
        errors:
          "error: base model bert (PLUGINS/libptune_bert.so), forward: it is not a causal model: its tokens see "
          + "those after them, so it cannot continue a text\nhelp: give a causal model, such as GPT-2 or Llama; what "
          + "an adapter on an encoder makes of texts, `ptune predict` shows\n"),
      Mistake(
        arguments: ["--model", gpt2, "--input", "-"],
        input: "the film\n" + String(repeating: "x", count: 65) + "\n",
        errors: "error: standard input:2: the prompt has 65 tokens, but the base model has positions for 64, "
          + "not counting virtual tokens\nhelp: shorten it; prompts are not truncated\n", output: 1),
      Mistake(
        arguments: ["--model", gpt2, "--input", "-", "--format", "jsonl"],
        input: "{\"text\": \"a\"}\n{\"x\": 1}\n",
        errors: "error: standard input:2: no column \"prompt\"; it has \"x\"\n"
          + "help: name one of these columns, or add the column to the file\n", output: 1),
      Mistake(
        arguments: ["--model", gpt2, "--input", "-", "--format", "jsonl"], input: "{\"input_ids\": [200]}\n",
        errors: "error: standard input:1: 'input_ids' holds 200, which is not within 0 and 199\n"
          + "help: correct the row, or check the columns and labels that the run names\n"),
      Mistake(
        arguments: ["--model", "nowhere/else", "--prompt", "a"],
        errors: "error: the model 'nowhere/else'"),
    ])
  func mistakes(_ mistake: Mistake) throws {
    let desk = try Desk()
    let result = try desk.ptune(["generate"] + mistake.arguments, input: mistake.input)
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix(mistake.errors), "\(result.errors)")
    #expect(result.output.split(separator: "\n").count == mistake.output)
  }

  @Test(
    "flags that do not go together are refused",
    arguments: [
      (["--prompt", "a"], "Give either --adapter or --model"),
      (["--model", "m", "--adapter", "a", "--prompt", "a"], "Give either --adapter or --model"),
      (["--model", "m"], "Give either --prompt or --input"),
      (
        ["--model", "m", "--task", "t", "--prompt", "a"], "--base-model, --task and --without need --adapter"
      ),
      (["--model", "m", "--prompt", "a", "--stream", "--json"], "Give either --stream or --json"),
      (["--model", "m", "--prompt", "a", "--top-p", "0"], "--top-p has to be above 0 and at most 1"),
      (["--model", "m", "--prompt", "a", "--top-k", "0"], "--top-k has to be at least 1"),
      (["--model", "m", "--prompt", "a", "--temperature", "nan"], "--temperature has to be at least 0"),
      (
        ["--model", "m", "--prompt", "a", "--temperature", "0", "--min-p", "0.1"],
        "--top-k, --top-p and --min-p sample tokens; --temperature 0 does not"
      ),
      (
        ["--model", "m", "--prompt", "a", "--repetition-penalty", "0"],
        "--repetition-penalty has to be above 0"
      ),
      (["--model", "m", "--prompt", "a", "--stop", ""], "--stop must not be empty"),
    ])
  func flags(_ arguments: [String], _ message: String) throws {
    let result = try Desk().ptune(["generate"] + arguments)
    #expect(result.status == 2)
    #expect(result.errors.hasPrefix("error: \(message)\n"), "\(result.errors)")
  }

  @Test("an adapter that was trained on conversations takes prompts for a user's turns, and says so")
  func conversations() throws {
    let desk = try Desk()
    let turns =
      #"{"messages": [{"role": "user", "content": "the film"}, {"role": "assistant", "content": "good"}]}"#
    try desk.write("train.jsonl", turns + "\n")
    try desk.write(
      "chat.jinja",
      "{% for m in messages %}{{ m.role[:1] + m.content + ' ' }}{% endfor %}"
        + "{% if add_generation_prompt %}a{% endif %}")
    try desk.write(
      "chat.yaml",
      """
      base: {model: \(Self.llama)}
      adapter: {plugin: prompt-tuning, virtual_tokens: 3}
      tasks:
        - head: causal-lm
          data: {train: train.jsonl, chat_template: chat.jinja}
      training: {max_steps: 1, threads: 2}
      output: out
      """)
    let trained = try desk.ptune("train", "chat.yaml", "--quiet")
    try #require(trained.status == 0, "\(trained.errors)")
    let flags = [
      "generate", "--adapter", "out/adapter", "--prompt", "the film", "--max-new-tokens", "4", "--json",
    ]
    let asked = try desk.ptune(flags)
    #expect(asked.errors.contains("prompts are a user's turns in the chat template of"))
    #expect(asked.errors.contains("chat.jinja"))
    let explicit = try desk.ptune(flags + ["--chat"])
    #expect(explicit.errors == "" && explicit.output == asked.output)
    let plain = try desk.ptune(flags + ["--no-chat"])
    #expect(plain.errors == "")
    #expect(try lines(plain)[0]["prompt_tokens"] != lines(asked)[0]["prompt_tokens"])
  }

  @Test("a text may begin with a dash")
  func dash() throws {
    let desk = try Desk()
    func same(_ arguments: [String], _ option: String, _ text: String) throws {
      let (apart, joined) = (
        try desk.ptune(arguments + [option, text]), try desk.ptune(arguments + ["\(option)=\(text)"])
      )
      #expect(apart.status == 0 && apart.output == joined.output, "\(option): \(apart.errors)")
    }
    try same(["tokenize", "--model", Self.gpt2], "--text", "-5 degrees")
    let generate = ["generate", "--model", Self.gpt2, "--max-new-tokens", "2"]
    try same(generate, "--prompt", "--film")
    try same(generate + ["--prompt", "the film"], "--stop", "-x")
    try same(generate + ["--prompt", "the film", "--chat", "--chat-template", "plain"], "--system", "-1")
    let trained = try desk.ptune("train", "run.yaml", "--quiet")
    try #require(trained.status == 0, "\(trained.errors)")
    try same(["predict", "--adapter", "out/adapter"], "--text", "-5 good films")
    try same(["inspect", "out/adapter"], "--text", "-5 good films")
  }
}
