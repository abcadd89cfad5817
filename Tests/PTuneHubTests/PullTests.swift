import Foundation
import PTuneFormats
import Testing

@testable import PTuneHub

@Suite struct PullTests {
  static let weights = String(repeating: "0123456789", count: 200)
  static let model = ["config.json": "{}", "model.safetensors": weights]

  @Test("a pull writes the cache as Hugging Face's own library does, and fetches only what ptune reads")
  func layout() throws {
    let desk = try HubDesk("layout")
    let more = [
      "tokenizer.json": "{ }", "README.md": "# A model", "pytorch_model.bin": "pickle",
      "onnx/model.onnx": "o",
      "tf_model.h5": "h", "vocab.txt": "a\n",
    ]
    try desk.serve(Self.model.merging(more) { $1 }, lfs: ["model.safetensors"])
    let snapshot = try desk.pull()
    let (config, tokenizer, vocabulary) = (
      "9e26dfeeb6e641a33dae4961196235bdb965b21b", "6f31cf5a2e622e523ae008338072897b8e56c993",
      "78981922613b2afb6025042ff6bd878ac1994e85"
    )
    var hash = SHA256()
    hash.update(Self.weights)
    let weights = hash.hexadecimal()
    let commit = "snapshots/\(desk.commit)"
    #expect(snapshot.folder == "\(desk.cache)/\(commit)")
    #expect(
      try Set(desk.tree()) == [
        "blobs/\(config)", "blobs/\(vocabulary)", "blobs/\(weights)", "blobs/\(tokenizer)", "refs/main",
        "\(commit)/config.json -> ../../blobs/\(config)",
        "\(commit)/model.safetensors -> ../../blobs/\(weights)",
        "\(commit)/tokenizer.json -> ../../blobs/\(tokenizer)",
        "\(commit)/vocab.txt -> ../../blobs/\(vocabulary)",
      ])
    #expect(try String(contentsOfFile: "\(desk.cache)/refs/main", encoding: .utf8) == desk.commit)
    #expect(try desk.text("model.safetensors") == Self.weights)
  }

  @Test("what is there is not fetched again; another revision shares its files")
  func again() throws {
    let desk = try HubDesk("again")
    try desk.serve(Self.model, lfs: ["model.safetensors"])
    try desk.pull()
    try desk.pull(revision: "v1")
    #expect(try desk.log().filter { $0.hasPrefix("storage") } == ["storage GET model.safetensors"])
    #expect(try desk.tree().filter { $0.hasPrefix("refs") } == ["refs/main", "refs/v1"])
    // A commit stands for itself.
    try desk.pull(revision: desk.commit)
    #expect(try desk.tree().filter { $0.hasPrefix("refs") } == ["refs/main", "refs/v1"])
  }

  @Test("a resolver fetches what no cache has, and nothing that one has")
  func resolver() throws {
    let desk = try HubDesk("resolver")
    try desk.serve(Self.model)
    let settings = try desk.settings()
    let resolver = ModelResolver(environment: ["HF_HOME": desk.folder], currentFolder: desk.folder) {
      _ = try Hub(settings).pull($0, $1)
    }
    let found = try resolver.resolve(desk.name)
    #expect(found.commit == desk.commit)
    let asked = try desk.log().count
    #expect(try resolver.resolve(desk.name) == found)
    #expect(try desk.log().count == asked)
    // Half a snapshot, as a program that needed the config alone leaves it.
    try FileManager.default.removeItem(atPath: "\(found.folder)/model.safetensors")
    #expect(try resolver.resolve(desk.name) == found)
    #expect(try desk.text("model.safetensors") == Self.weights)
  }

  @Test("the shards that an index names come before the index, which makes them a model")
  func shards() throws {
    let desk = try HubDesk("shards")
    let index = #"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#
    let files = [
      "config.json": "{}", "model.safetensors.index.json": index, "model-1.safetensors": "one",
      "model-2.safetensors": "two", "model-3.safetensors": "not named",
    ]
    try desk.serve(files, lfs: ["model-1.safetensors", "model-2.safetensors"])
    #expect(
      try desk.pull().files == [
        "config.json", "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json",
      ])
  }

  @Test("an index that names files elsewhere is refused")
  func hostileIndex() throws {
    let desk = try HubDesk("hostile-index")
    let index = #"{"weight_map": {"a": "../../../escape"}}"#
    try desk.serve(["config.json": "{}", "model.safetensors.index.json": index])
    #expect(desk.failure().contains("does not say in which files the weights are"))
  }

  @Test(
    "of an adapter the config and the safetensors are fetched; of several GGUF files the one that is named")
  func adaptersAndGGUF() throws {
    let adapter = try HubDesk("adapter")
    try adapter.serve([
      "adapter_config.json": "{}", "adapter_model.safetensors": "w", "adapter_model.bin": "p",
      "README.md": "#",
      "tokenizer.json": "{}",
    ])
    #expect(
      try adapter.pull().files == ["adapter_config.json", "README.md", "adapter_model.safetensors"])
    let gguf = try HubDesk("gguf")
    try gguf.serve(["a.Q4_0.gguf": "GGUF4", "b.Q8_0.gguf": "GGUF8", "README.md": "#"])
    #expect(
      gguf.failure() == """
        'test/gguf' has 2 GGUF files
        name one: ptune pull test/gguf --file a.Q4_0.gguf (there are a.Q4_0.gguf, b.Q8_0.gguf)
        """)
    #expect(try gguf.pull(file: "b.Q8_0.gguf").files == ["b.Q8_0.gguf"])
  }

  @Test("the token goes to the hub and not to where it redirects to")
  func token() throws {
    let desk = try HubDesk("bearer")
    try desk.serve(Self.model, lfs: ["model.safetensors"], more: ["token": "hf_secret"])
    try desk.pull(environment: ["HF_TOKEN": " hf_secret\n"])
    #expect(
      try desk.log() == [
        "hub GET main?blobs=true hf_secret", "hub HEAD config.json hf_secret",
        "hub HEAD model.safetensors hf_secret",
        "hub GET config.json hf_secret", "hub GET model.safetensors hf_secret",
        "storage GET model.safetensors",
      ])
  }

  @Test("a repository that was renamed is found under its old name")
  func renamed() throws {
    let desk = try HubDesk("moved")
    try desk.serve(Self.model, lfs: ["model.safetensors"])
    let snapshot = try Hub(try desk.settings()).pull(try #require(HubName("test/was-moved")), .model)
    #expect(snapshot.folder == "\(desk.folder)/hub/models--test--was-moved/snapshots/\(desk.commit)")
    #expect(
      try String(contentsOfFile: "\(snapshot.folder)/model.safetensors", encoding: .utf8) == Self.weights)
  }

  @Test("a token is read from a file, too")
  func tokenFile() throws {
    let desk = try HubDesk("token-file")
    try desk.serve(Self.model, more: ["token": "hf_secret"])
    try "hf_secret\n".write(toFile: "\(desk.folder)/token", atomically: true, encoding: .utf8)
    try desk.pull()
    #expect(desk.failure(environment: ["HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"]).contains("no public model"))
  }
}
