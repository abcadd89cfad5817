import Testing

@testable import PTuneFormats

@Suite struct FingerprintTests {
  @Test(
    "SHA-256 gives the digests of FIPS 180-4's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
      (
        String(repeating: "a", count: 100_000),
        "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee"
      ),
    ])
  func digests(text: String, expected: String) {
    var digest = SHA256()
    digest.update(text)
    #expect(digest.hexadecimal() == expected)
  }

  @Test("a digest does not depend on how the bytes come")
  func pieces() {
    let bytes = (0..<300).map { UInt8($0 % 251) }
    let whole = bytes.withUnsafeBytes { Fingerprint.of($0) }
    for size in [1, 3, 55, 56, 63, 64, 65, 128] {
      var digest = SHA256()
      for start in stride(from: 0, to: bytes.count, by: size) {
        digest.update(Array(bytes[start..<min(start + size, bytes.count)]))
      }
      #expect(digest.hexadecimal() == whole)
    }
  }

  @Test("the same weights have the same fingerprint, however they are stored")
  func sameWeights() throws {
    let folder = try TemporaryFolder()
    let config = #"{"hidden_size": 4, "eps": 1e-12}"#
    try folder.write("a/config.json", config)
    try write(["x": 1, "y": 2], to: folder("a/model.safetensors"))
    try folder.write("b/config.json", #"{"transformers_version": "9", "eps": 1e-12, "hidden_size": 4}"#)
    try write(["y": 2], to: folder("b/1.safetensors"))
    try write(["x": 1], to: folder("b/2.safetensors"))
    try folder.write(
      "b/model.safetensors.index.json",
      #"{"weight_map": {"x": "2.safetensors", "y": "1.safetensors"}}"#)
    #expect(try fingerprint(folder("a")) == fingerprint(folder("b")))

    try folder.write("c/config.json", #"{"hidden_size": 4, "eps": 1e-5}"#)
    try write(["x": 1, "y": 2.5], to: folder("c/model.safetensors"))
    #expect(try fingerprint(folder("a")).weights != fingerprint(folder("c")).weights)
    #expect(try fingerprint(folder("a")).config != fingerprint(folder("c")).config)
  }

  @Test("a change at either end or in the middle of a large tensor changes the fingerprint")
  func largeTensors() throws {
    let folder = try TemporaryFolder()
    var values = [Float](repeating: 0, count: 100_000)
    func weights() throws -> String {
      try folder.write("config.json", "{}")
      try SafetensorsWriter.write(
        [TensorData(name: "a", shape: [1000, 100], floats: values)], to: folder("model.safetensors"))
      return try fingerprint(folder.path).weights
    }
    var seen: Set<String> = [try weights()]
    for place in [0, 4095, 33_000, 65_000, 99_999] {
      values[place] = 1
      #expect(seen.insert(try weights()).inserted)
      values[place] = 0
    }
  }

  private func fingerprint(_ folder: String) throws -> Fingerprint {
    Fingerprint(try Checkpoint(folder: folder), try ModelConfig(folder: folder))
  }
}
