import PTuneComposition
import PTuneFormats
import PTunePlugins

/// What the files of an adapter folder say, without its base model.
public struct AdapterFacts: Sendable {
  /// A tensor of the adapter's file.
  public struct Tensor: Sendable {
    /// Its name.
    public let name: String
    /// Its dimensions.
    public let shape: [Int]
    /// How its values are stored, as safetensors says it: "F32".
    public let type: String
    /// The square root of the sum of its squares.
    public let norm: Double
    /// How many values it has.
    public let count: Int

    /// The square root of the mean of its squares, which does not grow with the tensor.
    public var rootMeanSquare: Double { count > 0 ? norm / Double(count).squareRoot() : 0 }
  }

  /// A task.
  public struct Task: Sendable {
    /// Its name.
    public let name: String
    /// Its head's component.
    public let head: String
    /// Its labels; empty for a head without.
    public let labels: [String]
  }

  /// The folder.
  public let folder: String
  /// The base model as the folder names it; nil if it does not.
  public let modelName: String?
  /// SHA-256 of the weights it was trained on; nil where the folder does not say.
  public let weightsDigest: String?
  /// `peft_type` and `task_type` of what PEFT can load.
  public let peft: (type: String, task: String)?
  /// PEFT's version, where PEFT wrote it.
  public let peftVersion: String?
  /// The ptune that wrote it; nil for what PEFT wrote alone.
  public let ptuneVersion: String?
  /// The tuning methods with their hyperparameters; empty for what PEFT wrote alone.
  public let adapters: [ComponentChoice]
  /// What weighs its pool.
  public let selector: ComponentChoice?
  /// Its tasks; empty for what PEFT wrote alone.
  public let tasks: [Task]
  /// What PEFT's config says of the method, in its order; empty where ``adapters`` say it.
  public let settings: JSONObject
  /// The tensors of its file, in the order of their names.
  public let tensors: [Tensor]
  /// The size of that file.
  public let bytes: Int

  /// Reads an adapter folder, and nothing of its base model.
  ///
  /// - Parameter path: the folder, or a name in the Hugging Face cache.
  /// - Throws: ``AdapterError``, or what is wrong with the folder's files.
  public init(_ path: String, resolver: ModelResolver) throws {
    let stored = try StoredAdapter(path, resolver: resolver)
    let file = try SafetensorsFile(try AdapterFolder.weights(in: stored.path))
    folder = stored.path
    modelName = try stored.modelName()
    weightsDigest = stored.own?.fingerprint
    peft = stored.isPEFT ? (try stored.peft.method().type, try stored.peft.taskType().rawValue) : nil
    peftVersion = stored.own == nil ? try stored.peft.text("peft_version") : nil
    ptuneVersion = AdapterConfigReader.own(stored.document)?["ptune_version"]?.stringValue
    adapters = stored.own?.adapters ?? []
    selector = stored.own?.selector
    tasks = (stored.own?.tasks ?? []).map { Task(name: $0.name, head: $0.head.plugin, labels: $0.labels) }
    var settings = JSONObject()
    if stored.own == nil {
      for (key, value) in stored.document.objectValue ?? JSONObject()
      where Self.telling.contains(key) && value != .null {
        settings[key] = value
      }
    }
    self.settings = settings
    tensors = try file.names.map { name in
      let values = try file.floats(name)
      let squares = values.withValues { $0.reduce(0.0) { $0 + Double($1) * Double($1) } }
      return Tensor(
        name: name, shape: values.shape, type: file.tensor(name)?.type.rawValue ?? "",
        norm: squares.squareRoot(), count: values.shape.reduce(1, *))
    }
    bytes = try MappedFile(file.path).withBytes { $0.count }
  }

  /// Keys of PEFT's configs that say what an adapter is.
  private static let telling: Set<String> = [
    "num_virtual_tokens", "num_layers", "token_dim", "num_attention_heads", "prefix_projection", "num_tasks",
    "num_ranks", "r", "lora_alpha", "target_modules", "feedforward_modules", "use_rslora", "modules_to_save",
  ]

  /// How many values its file has.
  public var parameters: Int { tensors.reduce(0) { $0 + $1.count } }
}

extension AdapterFacts {
  /// As `ptune inspect --json` has it.
  public var json: JSONObject {
    var object: JSONObject = [
      "folder": .string(folder), "base_model": modelName.map { .string($0) } ?? .null,
    ]
    object["weights_sha256"] = weightsDigest.map { .string($0) }
    object["peft_type"] = peft.map { .string($0.type) }
    object["task_type"] = peft.map { .string($0.task) }
    object["peft_version"] = peftVersion.map { .string($0) }
    object["ptune_version"] = ptuneVersion.map { .string($0) }
    if !adapters.isEmpty { object["adapters"] = .array(adapters.map(\.json)) }
    object["selector"] = selector?.json
    if !tasks.isEmpty {
      object["tasks"] = .array(
        tasks.map {
          [
            "name": .string($0.name), "head": .string($0.head),
            "labels": .array($0.labels.map { .string($0) }),
          ]
        })
    }
    if !settings.isEmpty { object["settings"] = .object(settings) }
    object["tensors"] = .array(
      tensors.map {
        [
          "name": .string($0.name), "shape": .array($0.shape.map { .int($0) }), "type": .string($0.type),
          "norm": .double($0.norm), "rms": .double($0.rootMeanSquare),
        ]
      })
    object["bytes"] = .int(bytes)
    return object
  }
}
