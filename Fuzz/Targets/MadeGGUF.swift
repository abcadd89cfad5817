/// Writes the header of a GGUF file (version 3), so that a seed need not be as large as a model.
struct MadeGGUF {
  private var entries: [UInt8] = []
  private var entryCount = 0
  private var tensors: [UInt8] = []
  private var tensorCount = 0
  private var data: [UInt8] = []

  /// A llama of one layer with some tensors, and a vocabulary of bytes.
  static let tiny: [UInt8] = {
    var made = MadeGGUF()
    made.entry("general.architecture", 8, text("llama"))
    for (key, value) in [
      ("block_count", 1), ("embedding_length", 4), ("feed_forward_length", 4), ("attention.head_count", 2),
      ("attention.head_count_kv", 1), ("context_length", 16), ("vocab_size", 8),
    ] { made.entry("llama.\(key)", 4, little(UInt32(value))) }
    made.entry("llama.attention.layer_norm_rms_epsilon", 6, little(Float(1e-5).bitPattern))
    made.entry("tokenizer.ggml.model", 8, text("gpt2"))
    made.entry("tokenizer.ggml.pre", 8, text("smollm"))
    let tokens = ["a", "b", "c", "ab", "abc", "Ġa", "<s>", "</s>"]
    made.entry("tokenizer.ggml.tokens", 9, array(8, tokens.map(text)))
    made.entry("tokenizer.ggml.token_type", 9, array(5, [1, 1, 1, 1, 1, 1, 3, 3].map { little(UInt32($0)) }))
    made.entry("tokenizer.ggml.merges", 9, array(8, ["a b", "ab c", "Ġ a"].map(text)))
    made.entry("tokenizer.ggml.bos_token_id", 4, little(UInt32(6)))
    made.entry("tokenizer.ggml.eos_token_id", 4, little(UInt32(7)))
    made.tensor("token_embd.weight", [4, 8], type: 0, bytes: 128)
    made.tensor("output_norm.weight", [4], type: 0, bytes: 16)
    made.tensor("blk.0.attn_q.weight", [4, 4], type: 1, bytes: 32)
    return made.bytes
  }()

  private static func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
  private static func text(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + Array(text.utf8) }
  private static func array(_ type: UInt32, _ elements: [[UInt8]]) -> [UInt8] {
    little(type) + little(UInt64(elements.count)) + elements.flatMap { $0 }
  }

  private mutating func entry(_ key: String, _ type: UInt32, _ value: [UInt8]) {
    entries += Self.text(key) + Self.little(type) + value
    entryCount += 1
  }

  private mutating func tensor(_ name: String, _ shape: [UInt64], type: UInt32, bytes: Int) {
    tensors += Self.text(name) + Self.little(UInt32(shape.count)) + shape.flatMap(Self.little)
    tensors += Self.little(type) + Self.little(UInt64(data.count))
    data += (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    data += [UInt8](repeating: 0, count: -data.count & 31)
    tensorCount += 1
  }

  private var bytes: [UInt8] {
    var header = Array("GGUF".utf8) + Self.little(UInt32(3))
    header += Self.little(UInt64(tensorCount)) + Self.little(UInt64(entryCount)) + entries + tensors
    header += [UInt8](repeating: 0, count: -header.count & 31)
    return header + data
  }
}
