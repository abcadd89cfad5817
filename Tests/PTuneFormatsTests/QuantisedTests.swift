import Testing

@testable import PTuneFormats

@Suite("Weights that are quantised") struct QuantisedTests {
  @Test(
    "a checkpoint that says that it is quantised is refused by that, whatever its tensors are",
    arguments: [
      (#"{"quantization_config": {"quant_method": "fp8"}}"#, "'quantization_config' in", "fp8"),
      (#"{"quantization_config": {"quant_method": "gptq", "bits": 4}}"#, "'quantization_config' in", "gptq"),
      (#"{"quantization": {"bits": 4, "group_size": 64}}"#, "'quantization' in", "4 bits"),
    ])
  func config(text: String, place: String, method: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("config.json", text)
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint(folder: folder.path, ModelConfig(folder: folder.path))
    }
    #expect(
      error?.description
        == "\(place) \(folder("config.json")) says that the weights are quantised (\(method)), which is not read"
    )
    #expect(error?.help?.contains("GGUF") == true)
  }

  @Test("so is one with the file of an old tool beside it, and a null says nothing")
  func files() throws {
    let folder = try TemporaryFolder()
    try folder.write("config.json", #"{"quantization_config": null}"#)
    try SafetensorsWriter.write(
      [TensorData(name: "a", shape: [1], floats: [1])], metadata: [:], to: folder("model.safetensors"))
    #expect(try Checkpoint(folder: folder.path, ModelConfig(folder: folder.path)).names == ["a"])
    try folder.write("quantize_config.json", "{}")
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint(folder: folder.path, ModelConfig(folder: folder.path))
    }
    #expect(
      error?.description
        == "\(folder("quantize_config.json")) says that the weights are quantised, which is not read")
  }
}
