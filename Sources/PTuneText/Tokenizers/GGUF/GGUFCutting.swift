/// How the vocabularies that `tokenizer.ggml.pre` names cut text into words. Source: llama.cpp's `llama-vocab.cpp`.
struct GGUFCutting: Sendable {
  let splits: [PreTokenizer.Split]
  /// A word that is in the vocabulary as a whole is not merged.
  var ignoresMerges = false
  /// Whether a text gets a token in front where the file does not say.
  var addsBeginning = false

  /// By name. Where a file has no such key, it is `default`, as files from before the key are read.
  static let named: [String: GGUFCutting] = {
    let fallback = GGUFCutting(
      splits: [.punctuation, .words(.gpt2), .digits(individually: false), .digitTriples])
    let gpt2 = GGUFCutting(splits: [.words(.gpt2)])
    let digits = GGUFCutting(splits: [.digits(individually: true), .words(.gpt2)])
    let llama3 = GGUFCutting(splits: [.words(.gpt4(digits: 3))], ignoresMerges: true, addsBeginning: true)
    let gpt4 = GGUFCutting(splits: [.words(.gpt4(digits: 3))])
    let qwen2 = GGUFCutting(splits: [.words(.gpt4(digits: 1))])
    let words: [(GGUFCutting, [String])] = [
      (fallback, ["default"]),
      (
        gpt2,
        [
          "gpt-2", "phi-2", "mpt", "olmo", "roberta-bpe", "jais", "trillion", "granite-docling",
          "gigachat", "mellum", "a.x-4.0", "exaone4",
        ]
      ),
      (
        digits,
        ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"]
      ),
      (llama3, ["llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"]),
      (gpt4, ["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"]),
      (
        qwen2,
        ["qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "megrez", "hunyuan", "solar-open"]
      ),
    ]
    return Dictionary(uniqueKeysWithValues: words.flatMap { cutting, names in names.map { ($0, cutting) } })
  }()
}
