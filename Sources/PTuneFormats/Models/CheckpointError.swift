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
    if has("adapter_config.json") { return CheckpointError(folder: folder, problem: .adapter) }
    return CheckpointError(folder: folder, problem: .noWeights)
  }

  /// What to do about it.
  public var help: String? {
    switch problem {
    case .noWeights: "a model folder holds config.json and model.safetensors; fetch it again"
    case .pickle: "convert it once: \(Self.conversion(of: folder))"
    case .adapter: "name the base model's folder here, and the adapter where adapters are asked for"
    case .missingShards: "the download is not complete; fetch it again"
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
    case .adapter: "'\(folder)' holds an adapter, not a base model"
    case .missingShards(let names, let count):
      "'\(folder)' lacks \(names.count) of its \(count) weight files: \(names.joined(separator: ", "))"
    case .index(let file): "\(file): expected 'weight_map' to say for each tensor in which file it is"
    }
  }
}
