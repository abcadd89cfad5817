import Testing

@testable import PTuneFormats

@Suite struct GGUFTests {
  @Test("blocks of every type become the numbers of the gguf package, exactly")
  func blocks() throws {
    let file = try GGUFFile(fixture("gguf-blocks.gguf"))
    let expected = try SafetensorsFile(fixture("gguf-blocks.safetensors"))
    #expect(Set(file.tensors.map(\.type)) == Set(GGUFTensorType.allCases))
    for tensor in file.tensors {
      let values = try file.floats(tensor.name)
      #expect(values.shape == expected.tensor(tensor.name)?.shape, "\(tensor.name)")
      #expect(try values.array == expected.floats(tensor.name).array, "\(tensor.name)")
      #expect(values.isMapped == (tensor.type == .f32))
    }
  }

  @Test("rows are quantised to the nearest that a block has", arguments: GGUFTensorType.allCases)
  func quantization(type: GGUFTensorType) {
    // Half a step of a group of numbers up to 1.5 is 1.5 / 7 / 2 in four bits around zero, and so on; scales are rounded, too.
    let bounds: [GGUFTensorType: Float] = [
      .f32: 0, .f16: 0.0005, .bf16: 0.004, .q8_0: 0.006, .q6_K: 0.027, .q5_0: 0.052, .q5_1: 0.035,
      .q5_K: 0.06,
      .q4_0: 0.11, .q4_1: 0.07, .q4_K: 0.1,
    ]
    var values = (0..<512).map { Float((($0 * 7919) % 401) - 200) / 200 }
    for index in 256..<320 { values[index] *= 0.25 }
    for index in 320..<352 { values[index] = abs(values[index]) + 0.5 }
    for rows in [values, Array(repeating: 0, count: 512)] {
      let bytes = Quantization.bytes(rows, as: type)
      #expect(bytes.count == 512 / type.blockCount * type.blockBytes)
      var read = [Float](repeating: .nan, count: 512)
      bytes.withUnsafeBytes { bytes in
        read.withUnsafeMutableBufferPointer { Dequantization.convert(bytes, of: type, into: $0) }
      }
      let largest = zip(rows, read).map { abs($0 - $1) }.max() ?? .nan
      #expect(largest <= (rows[0] == 0 ? 0 : bounds[type] ?? 0), "\(type)")
    }
  }

  @Test("a part of a split GGUF says how many there are and how to join them")
  func split() throws {
    let folder = try TemporaryFolder()
    var made = MadeGGUF(version: 3)
    made.entry("split.count", 2, little(UInt16(3)))
    let path = try folder.write("a-00001-of-00003.gguf", made.bytes)
    let error = #expect(throws: GGUFError.self) { try GGUFModel(path) }
    #expect(error == GGUFError(file: path, problem: .split(parts: 3)))
    #expect(error?.help?.contains("--merge") == true)
  }

  @Test("metadata of every type, in versions 2 and 3")
  func metadata() throws {
    let folder = try TemporaryFolder()
    for version: UInt32 in 2...3 {
      var made = MadeGGUF(version: version)
      made.entry("u8", 0, [200])
      made.entry("i8", 1, [0xFF])
      made.entry("u16", 2, little(UInt16(60000)))
      made.entry("i32", 5, little(Int32(-7)))
      made.entry("f32", 6, little(Float(0.5).bitPattern))
      made.entry("yes", 7, [1])
      made.entry("text", 8, string("grün"))
      made.entry("words", 9, little(UInt32(8)) + little(UInt64(2)) + string("a") + string(""))
      made.entry("ids", 9, little(UInt32(5)) + little(UInt64(2)) + little(Int32(3)) + little(Int32(-1)))
      made.entry("u64", 10, little(UInt64.max))
      made.entry("i64", 11, little(Int64.min))
      made.entry("f64", 12, little(1e300.bitPattern))
      let file = try GGUFFile(folder.write("a.gguf", made.bytes))
      #expect(file.metadata["u8"] == .integer(200))
      #expect(file.metadata["i8"] == .integer(-1))
      #expect(file.metadata["u16"] == .integer(60000))
      #expect(file.metadata["i32"] == .integer(-7))
      #expect(file.metadata["f32"] == .number(0.5))
      #expect(file.metadata["yes"] == .boolean(true))
      #expect(file.metadata["text"] == .string("grün"))
      #expect(try file.strings("words") == ["a", ""])
      #expect(try file.integers("ids") == [3, -1])
      #expect(try file.integers("absent") == nil)
      #expect(file.metadata["u64"] == .unsigned(.max))
      #expect(file.metadata["u64"]?.integer == nil)
      #expect(file.metadata["i64"] == .integer(.min))
      #expect(file.metadata["f64"] == .number(1e300))
      #expect(throws: GGUFError.self) { try file.strings("ids") }
      #expect(throws: GGUFError.self) { try file.integers("text") }
    }
  }

  @Test(
    "damage is refused with what is wrong",
    arguments: [
      (Array("GGML".utf8), "this is not a GGUF file; it does not start with 'GGUF'"),
      (MadeGGUF(version: 1).bytes, "GGUF version 1 is not supported; versions 2 and 3 are"),
      (MadeGGUF(version: 3 << 24).bytes, "big-endian GGUF files are not supported"),
      (
        MadeGGUF(entryCount: 1 << 40).bytes, "the metadata needs \(13 << 40 as Int) bytes, but 0 are left"
      ),
      (
        MadeGGUF(tensorCount: .max).bytes,
        "the list of tensors needs 18446744073709551615 bytes, but 8 are left"
      ),
      (made { $0.entry("a", 13, [0]) }, "'a' has the unknown metadata type 13"),
      (made { $0.entry("a", 8, little(UInt64.max)) }, "'a' needs 18446744073709551615 bytes, but 0 are left"),
      (
        made { $0.entry("a", 9, little(UInt32(8)) + little(UInt64(1) << 61)) },
        "'a' needs 18446744073709551615 bytes, but 0 are left"
      ),
      (
        made { $0.entry("a", 9, (0..<9).flatMap { _ in little(UInt32(9)) + little(UInt64(1)) }) },
        "'a' has arrays nested too deep"
      ),
      (made { $0.entry("a", 8, little(UInt64(1)) + [0xFF]) }, "'a' is not UTF-8 at byte 45 of the file"),
      (
        made {
          $0.entry("a", 0, [0])
          $0.entry("a", 0, [0])
        }, "the key 'a' is there twice"
      ),
      (
        made { $0.entry("general.alignment", 4, little(UInt32(24))) },
        "expected 'general.alignment' to be a power of two but found 24"
      ),
      (made { $0.tensor("w", []) }, "tensor 'w' has the impossible dimensions [0]"),
      (made { $0.tensor("w", [1, 1, 1, 1, 1]) }, "tensor 'w' has the impossible dimensions [5]"),
      (made { $0.tensor("w", [0]) }, "tensor 'w' has the impossible dimensions [0]"),
      (
        made { $0.tensor("w", [1 << 40, 1 << 40]) },
        "tensor 'w' has the impossible dimensions [1099511627776, 1099511627776]"
      ),
      (made { $0.tensor("w", [33], type: 8) }, "tensor 'w' has rows of 33, but Q8_0 has blocks of 32"),
      (
        made { $0.tensor("w", [256], type: 10) },
        "tensor 'w' has the type Q2_K, which is not supported; supported are F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, "
          + "Q8_0, Q4_K, Q5_K, Q6_K, BF16"
      ),
      (
        made { $0.tensor("w", [1], offset: 4) },
        "tensor 'w' begins at byte 4 of the data, which is not a multiple of the alignment 32"
      ),
      (made { $0.tensor("w", [1 << 20]) }, "tensor 'w' ends at byte 4194368, but the file has 160"),
      (
        made { $0.tensor("w", [1], offset: .max - 31) },
        "tensor 'w' ends at byte 18446744073709551615, but the file has 160"
      ),
      (
        made {
          $0.tensor("v", [9])
          $0.tensor("w", [1], offset: 32)
        }, "tensor 'w' begins within tensor 'v'"
      ),
      (
        made {
          $0.tensor("w", [1])
          $0.tensor("w", [1], offset: 32)
        }, "the tensor 'w' is there twice"
      ),
    ] as [([UInt8], String)])
  func damaged(bytes: [UInt8], expected: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.gguf", bytes)
    let error = #expect(throws: GGUFError.self) { try GGUFFile(path) }
    #expect(error?.description == "\(path): \(expected)")
    #expect(error?.help != nil)
  }

  @Test(
    "a model that cannot be run as it should is refused by what stands in the way",
    arguments: [
      (
        llama("mamba") { _ in }, "the architecture 'mamba' is not supported; supported are gpt2, llama, qwen2"
      ),
      (
        llama { $0.entry("llama.expert_count", 4, little(UInt32(8))) },
        "'llama.expert_count' is 8, which is not supported; supported: models without experts"
      ),
      (
        llama { $0.entry("llama.rope.scaling.type", 8, string("longrope")) },
        "'llama.rope.scaling.type' is 'longrope', which is not supported; supported: none, linear, yarn"
      ),
      (
        llama { $0.tensor("blk.0.attn_q_norm.weight", [4], offset: 64) },
        "the tensor 'blk.0.attn_q_norm.weight' is not known in the architecture 'llama'"
      ),
      (
        llama(layers: 1 << 30) { _ in },
        "'llama.block_count' is 1073741824, which is not supported; supported: at most as many as there are tensors"
      ),
      (
        llama { $0.entry("llama.attention.key_length", 4, little(UInt32(1) << 30)) },
        "'llama.attention.key_length' is 1073741824, which is not supported; supported: up to embedding_length 4"
      ),
    ] as [([UInt8], String)])
  func unsuitable(bytes: [UInt8], expected: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.gguf", bytes)
    let error = #expect(throws: GGUFError.self) { try GGUFModel(path) }
    #expect(error?.description == "\(path): \(expected)")
    #expect(error?.help != nil)
  }

  @Test("a file cut off at any byte is refused and named")
  func truncated() throws {
    let whole = try content(fixture("gguf-blocks.gguf"))
    let end = try #require(try GGUFFile(fixture("gguf-blocks.gguf")).tensors.last?.range.upperBound)
    let wrong = (0..<end).filter { length in
      let read = Result { try whole[..<length].withUnsafeBytes { try GGUFHeader("a", $0) } }
      guard case .failure(let error as GGUFError) = read else { return true }
      return error.file != "a"
    }
    #expect(wrong == [])
  }

  @Test("mutated files read or are refused, but never crash")
  func mutated() throws {
    let folder = try TemporaryFolder()
    let whole = try content(fixture("gguf-blocks.gguf"))
    var random = SeededGenerator(state: 1)
    var refused = 0
    for _ in 0..<2000 {
      var bytes = whole
      // Most of the changes go to the header, which the first fifth holds.
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        let place = Int.random(in: 0..<whole.count / (Bool.random(using: &random) ? 5 : 1), using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[place] = [0, 0xFF, 0x7F, 0x80].randomElement(using: &random) ?? 0
        default: bytes[place] = UInt8.random(in: 0...255, using: &random)
        }
      }
      if Int.random(in: 0..<8, using: &random) == 0 {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      let path = try folder.write("a.gguf", bytes)
      do {
        let file = try GGUFFile(path)
        for tensor in file.tensors { _ = try file.floats(tensor.name) }
        for key in file.metadata.keys { _ = try? file.strings(key) }
      } catch is GGUFError {
        refused += 1
      }
    }
    #expect((500..<2000).contains(refused))
  }
}

/// A small generator with a seed.
private struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

/// The bytes of a GGUF file, right or wrong.
private struct MadeGGUF {
  var version: UInt32 = 3
  var tensorCount: UInt64 = 0
  var entryCount: UInt64 = 0
  private var entries: [UInt8] = []
  private var tensors: [UInt8] = []

  init(version: UInt32 = 3, tensorCount: UInt64 = 0, entryCount: UInt64 = 0) {
    (self.version, self.tensorCount, self.entryCount) = (version, tensorCount, entryCount)
  }

  mutating func entry(_ key: String, _ type: UInt32, _ value: [UInt8]) {
    entries += string(key) + little(type) + value
    entryCount += 1
  }

  mutating func tensor(_ name: String, _ dimensions: [UInt64], type: UInt32 = 0, offset: UInt64 = 0) {
    tensors += string(name) + little(UInt32(dimensions.count)) + dimensions.flatMap(little)
    tensors += little(type) + little(offset)
    tensorCount += 1
  }

  var bytes: [UInt8] {
    let header =
      Array("GGUF".utf8) + little(version) + little(tensorCount) + little(entryCount) + entries + tensors
    guard !tensors.isEmpty else { return header }
    return header + [UInt8](repeating: 0, count: (header.count + 31) / 32 * 32 - header.count + 96)
  }
}

private func made(_ body: (inout MadeGGUF) -> Void) -> [UInt8] {
  var made = MadeGGUF()
  body(&made)
  return made.bytes
}

/// A Llama without layers' tensors, with something added.
private func llama(
  _ architecture: String = "llama", layers: UInt32 = 1, _ body: (inout MadeGGUF) -> Void
) -> [UInt8] {
  made { made in
    made.entry("general.architecture", 8, string(architecture))
    for key in ["embedding_length", "attention.head_count", "feed_forward_length", "context_length"] {
      made.entry("llama.\(key)", 4, little(UInt32(key == "attention.head_count" ? 2 : 4)))
    }
    made.entry("llama.block_count", 4, little(layers))
    made.entry("llama.attention.layer_norm_rms_epsilon", 6, little(Float(1e-5).bitPattern))
    made.tensor("token_embd.weight", [4, 4])
    body(&made)
  }
}

private func little(_ number: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: number.littleEndian) { Array($0) }
}

private func string(_ text: String) -> [UInt8] { little(UInt64(text.utf8.count)) + text.utf8 }
