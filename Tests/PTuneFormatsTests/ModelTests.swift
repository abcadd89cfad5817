import Testing

@testable import PTuneFormats

@Suite struct ModelTests {
  @Test("the configuration gives typed values, absent and null ones as nil")
  func config() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "config.json",
      """
      {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 384, "layer_norm_eps": 1e-12,
       "dropout": 0, "n": 512.0, "tied": true, "pad": null, "rope_scaling": {"factor": 2.5}, "a.b": 1}
      """)
    let config = try ModelConfig(folder: folder.path)
    #expect(config.modelType == "bert")
    #expect(config.architectures == ["BertModel"])
    #expect(try config.integer("hidden_size") == 384)
    #expect(try config.integer("n") == 512)
    #expect(try config.number("layer_norm_eps") == 1e-12)
    #expect(try config.number("dropout") == 0)
    #expect(try config.boolean("tied") == true)
    #expect(try config.integer("pad") == nil)
    #expect(try config.string("absent") == nil)
    #expect(try config.number("rope_scaling.factor") == 2.5)
    #expect(try config.integer("a.b") == 1)
  }

  @Test("a configuration value that is missing or of the wrong type is named")
  func configErrors() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("config.json", #"{"hidden_size": "big", "eps": true}"#)
    let config = try ModelConfig(path: path)
    let help = "help: check whether this is the config.json of a model that the base model plugin supports"
    #expect(
      message { _ = try config.integer("hidden_size") }
        == "\(path): expected 'hidden_size' to be an integer but found a string\n\(help)")
    #expect(
      message { _ = try config.number("eps") }
        == "\(path): expected 'eps' to be a number but found a boolean\n\(help)")
    #expect(
      message { _ = try config.requiredInteger("vocab_size") }
        == "\(path): there is no 'vocab_size', which should be an integer\n\(help)")
    try folder.write("config.json", "[]")
    #expect(
      message { _ = try ModelConfig(path: path) } == "\(path): expected an object but found an array\n\(help)"
    )
  }

  @Test("shards are one checkpoint")
  func shards() throws {
    let folder = try TemporaryFolder()
    try write(["b": 1, "c": 2], to: folder("one.safetensors"))
    try write(["a": 3], to: folder("two.safetensors"))
    try folder.write(
      "model.safetensors.index.json",
      #"{"weight_map": {"c": "one.safetensors", "a": "two.safetensors", "b": "one.safetensors"}}"#)
    let checkpoint = try Checkpoint(folder: folder.path)
    #expect(checkpoint.names == ["a", "b", "c"])
    #expect(try checkpoint.floats("a").array == [3])
    #expect(checkpoint.tensor("c")?.shape == [1])
    #expect(checkpoint.tensor("d") == nil)
    #expect(
      message { _ = try checkpoint.floats("d") }.hasPrefix("\(folder.path): there is no tensor 'd'"))
  }

  @Test("a checkpoint that is not complete says what is missing")
  func checkpointErrors() throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    func fails(_ expected: String) {
      #expect(message { _ = try Checkpoint(folder: path) } == expected)
    }
    fails(
      """
      '\(path)' has no model.safetensors and no model.safetensors.index.json
      help: a model folder contains config.json and model.safetensors; fetch it again
      """)
    try folder.write("adapter_config.json", "{}")
    fails(
      """
      '\(path)' contains an adapter, not a base model
      help: name the base model's folder here, and the adapter where an adapter is expected
      """)
    try folder.write("pytorch_model.bin", "")
    fails(
      """
      '\(path)' has its weights only as pytorch_model.bin, a pickle, which ptune does not open
      help: convert it once: cd '\(path)' && python3 -c "import glob, torch, safetensors.torch as s; \
      s.save_file({k: v.clone().contiguous() for f in sorted(glob.glob('pytorch_model*.bin')) for k, v in \
      torch.load(f, map_location='cpu', weights_only=True).items()}, 'model.safetensors', \
      metadata={'format': 'pt'})"
      """)
    try folder.write("model.safetensors.index.json", #"{"weight_map": {"a": "1.st", "b": "2.st"}}"#)
    try write(["a": 1], to: folder("1.st"))
    fails(
      """
      '\(path)' lacks 1 of its 2 weight files: 2.st
      help: the download is not complete; fetch it again
      """)
    try write(["x": 1], to: folder("2.st"))
    fails(
      """
      \(path)/2.st: there is no tensor 'b'
      help: see what the file contains: ptune inspect '\(path)/2.st'
      """)
    for shard in ["../2.st", "/etc/passwd", "..", ""] {
      try folder.write("model.safetensors.index.json", #"{"weight_map": {"a": "\#(shard)"}}"#)
      fails(
        """
        \(path)/model.safetensors.index.json: expected 'weight_map' to say for each tensor in which file it is
        help: fetch the file again
        """)
    }
  }

  @Test(
    "names on the hub are told from other texts",
    arguments: [
      ("owner/name", "owner/name", nil), ("bert-base-uncased", "bert-base-uncased", nil),
      ("a/b@refs/pr/1", "a/b", "refs/pr/1"), ("a/b@v1.0", "a/b", "v1.0"),
    ] as [(String, String, String?)])
  func names(text: String, repository: String, revision: String?) {
    #expect(HubName(text)?.repository == repository)
    #expect(HubName(text)?.revision == revision)
  }

  @Test(
    "what could lead out of a folder is no name",
    arguments: [
      "", "a/b/c", "../b", "a/..", "/a", "a/", "a/b@", "a/b@../x", "a/b@x//y", ".a/b", "-a/b", "a b/c", "a/é",
    ])
  func noNames(text: String) {
    #expect(HubName(text) == nil)
  }
}

func write(_ tensors: [String: Float], to path: String) throws {
  try SafetensorsWriter.write(
    tensors.map { TensorData(name: $0.key, shape: [1], floats: [$0.value]) }, to: path)
}
