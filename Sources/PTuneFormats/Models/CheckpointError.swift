/// Why a folder has no weights that can be read.
public struct CheckpointError: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Problem: Equatable, Sendable {
    /// Neither model.safetensors nor its index is there.
    case noWeights
    /// The weights are there only as a Python pickle, which is never read because it can run code.
    case pickle
    /// The folder holds an adapter.
    case adapter
    /// The index names files that are not there.
    case missingShards([String], of: Int)
    /// The weights are quantised in a way that is not read; `place` says so.
    case quantised(method: String?, place: String)
    /// The index is not what it should be.
    case index(file: String)
  }

  /// The folder.
  public let folder: String
  /// What is wrong.
  public let problem: Problem

  static func missing(in folder: String) -> CheckpointError {
    func has(_ name: String) -> Bool { FileSystem.exists(FilePath.join(folder, name)) }
    if WeightFiles.pickles.contains(where: has) { return CheckpointError(folder: folder, problem: .pickle) }
    if has(AdapterFolderFiles.config) { return CheckpointError(folder: folder, problem: .adapter) }
    return CheckpointError(folder: folder, problem: .noWeights)
  }

  /// Why a folder's weights cannot be read as what they stand for; nil for plain ones.
  ///
  /// Quantised tensors have other types, shapes or names than those of the model, and as many more beside them.
  static func quantised(_ config: ModelConfig, folder: String) -> CheckpointError? {
    for key in ["quantization_config", "quantization", "compression_config"] {
      guard let settings = config.value(key) else { continue }
      let bits = settings["bits"]?.intValue.map { "\($0) bits" }
      let method = settings["quant_method"]?.stringValue ?? bits
      return CheckpointError(
        folder: folder, problem: .quantised(method: method, place: "'\(key)' in \(config.path)"))
    }
    // Where the first tools for GPTQ and AWQ said it.
    for name in ["quantize_config.json", "quant_config.json"] {
      let file = FilePath.join(folder, name)
      if FileSystem.isFile(file) {
        return CheckpointError(folder: folder, problem: .quantised(method: nil, place: file))
      }
    }
    return nil
  }

  /// What to do about it.
  public var help: String? {
    switch problem {
    case .noWeights: "a model folder contains config.json and model.safetensors; fetch it again"
    case .pickle: "convert it once: \(Self.conversion(of: folder))"
    case .adapter: "name the base model's folder here, and the adapter where an adapter is expected"
    case .missingShards: "the download is not complete; fetch it again"
    case .quantised:
      "take the model's own weights, in 16 or 32 bits, or a GGUF file of it, whose quantised types are read; an "
        + "adapter that was trained on the quantised model works with either, but for what quantising lost"
    case .index: "fetch the file again"
    }
  }

  /// A command that turns pickled weights, sharded or not, into model.safetensors.
  private static func conversion(of folder: String) -> String {
    "cd '\(folder)' && python3 -c \"import glob, torch, safetensors.torch as s; "
      + "s.save_file({k: v.clone().contiguous() for f in sorted(glob.glob('pytorch_model*.bin')) "
      + "for k, v in torch.load(f, map_location='cpu', weights_only=True).items()}, 'model.safetensors', "
      + "metadata={'format': 'pt'})\""
  }
}

extension CheckpointError: HelpfulError {
  /// The folder and the problem, in one line.
  public var description: String {
    switch problem {
    case .noWeights: "'\(folder)' has no \(WeightFiles.single) and no \(WeightFiles.index)"
    case .pickle: "'\(folder)' has its weights only as pytorch_model.bin, a pickle, which ptune does not open"
    case .adapter: "'\(folder)' contains an adapter, not a base model"
    case .missingShards(let names, let count):
      "'\(folder)' lacks \(names.count) of its \(count) weight files: \(names.joined(separator: ", "))"
    case .quantised(let method, let place):
      "\(place) says that the weights are quantised\(method.map { " (\($0))" } ?? ""), which is not read"
    case .index(let file): "\(file): expected 'weight_map' to say for each tensor in which file it is"
    }
  }
}
