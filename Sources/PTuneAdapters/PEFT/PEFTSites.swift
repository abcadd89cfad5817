import PTuneComposition
import PTuneFormats
import PTunePlugins

/// What PEFT's methods that attach to linear layers, LORA and IA3, have in their files: a tensor or two for each layer,
/// under the layer's path in the transformers class.
struct PEFTSites {
  /// What stands before a layer's path without the model's own name: "base_model.model.bert.".
  let prefix: String

  /// What the classes of transformers call the model within them, by `model_type`.
  private static let models = [
    "bert": "bert", "distilbert": "distilbert", "roberta": "roberta", "xlm-roberta": "roberta",
    "gpt2": "transformer", "llama": "model", "qwen2": "model", "mistral": "model",
  ]

  /// - Parameter family: `model_type`; one that is not known has no model within.
  init(_ type: PEFTHead.TaskType, family: String?) {
    var model = Self.models[family ?? ""]
    if type == .questionAnswering, ["llama", "qwen2"].contains(family) { model = "transformer" }
    prefix = PEFTMethod.attachedPrefix + (model.map { "\($0)." } ?? "")
  }

  /// Layers of an adapter on a model of a family that is not known, where the checkpoint shows what the class of
  /// transformers that it was saved from calls the model within: its weights have the paths of the class's modules.
  ///
  /// - Parameters:
  ///   - layers: the layers that the adapter attaches to, as the base model's plugin names them.
  ///   - hasWeight: whether the checkpoint has a tensor of this name.
  /// - Returns: nil where the layers are in the checkpoint under no such path, so that nobody can tell.
  init?(family: String?, layers: [String], hasWeight: (String) -> Bool) {
    let within = ["model", "transformer", "base_model", "encoder", "decoder"] + [family].compactMap { $0 }
    let found = within.filter { name in
      !layers.isEmpty && layers.allSatisfy { hasWeight("\(name).\($0).weight") }
    }
    guard found.count == 1 else { return nil }
    prefix = PEFTMethod.attachedPrefix + "\(found[0])."
  }

  /// Whether what transformers calls the model within is known for this `model_type`.
  static func knows(_ family: String?) -> Bool { models[family ?? ""] != nil }

  /// What a layer's tensors are called behind its path.
  private static let parts = [".lora_A.weight", ".lora_B.weight", ".ia3_l"]

  /// The names of the parameters whose values a file of PEFT's has.
  func names(in file: SafetensorsFile) -> [String] {
    file.names.filter { name in name.hasPrefix(prefix) && Self.parts.contains { name.hasSuffix($0) } }
      .map { String($0.dropFirst(prefix.utf8.count)) }
  }

  /// Where the values of parameters are.
  func places(_ names: [String]) -> [String: TensorPlace] {
    Dictionary(uniqueKeysWithValues: names.map { ($0, .adapter(prefix + $0)) })
  }

  /// The layers that parameters belong to, in order.
  static func layers(_ names: [String]) -> [String] {
    var seen = Set<String>()
    return names.compactMap { name in
      parts.first { name.hasSuffix($0) }.map { String(name.dropLast($0.utf8.count)) }
    }.filter { seen.insert($0).inserted }
  }

  /// The adapter component. Its targets are the layers that have tensors, however PEFT's config says which they are.
  ///
  /// - Throws: ``PEFTError/unsupported(folder:reason:help:)`` for a file without a tensor for such a layer.
  func component(_ method: PEFTMethod, _ config: PEFTConfig, _ file: SafetensorsFile) throws
    -> ComponentChoice
  {
    let names = names(in: file)
    guard !names.isEmpty else {
      throw PEFTError.unsupported(
        folder: config.folder, reason: "it has no tensor for a layer of \(prefix.dropLast())")
    }
    var hyperparameters: [String: HyperparameterValue] = ["targets": .strings(Self.layers(names))]
    if method.plugin == "lora" {
      hyperparameters["r"] = .int(try config.count("r"))
      hyperparameters["alpha"] = .double(try config.number("lora_alpha"))
      hyperparameters["dropout"] = .double(try config.number("lora_dropout", default: 0))
      hyperparameters["rslora"] = .bool(config.value("use_rslora") == true)
    } else {
      // Factors of inputs are a row, those of outputs a column.
      let rows = names.filter { file.tensor(prefix + $0)?.shape.first == 1 }
      hyperparameters["feed_forward"] = .strings(Self.layers(rows))
    }
    return ComponentChoice(plugin: method.plugin, hyperparameters: hyperparameters)
  }

  /// The keys of adapter_config.json that depend on the adapter.
  func config(_ adapter: ComponentChoice, _ tensors: [(name: String, shape: [Int])], family: String?)
    -> JSONObject
  {
    let path = prefix.dropFirst(PEFTMethod.attachedPrefix.utf8.count)
    func modules(_ tensors: [(name: String, shape: [Int])]) -> JSONValue {
      .array(Self.layers(tensors.map(\.name)).map { .string(path + $0) })
    }
    func number(_ name: String) -> Double {
      switch adapter.hyperparameters[name] {
      case .int(let value)?: Double(value)
      case .double(let value)?: value
      default: 0
      }
    }
    func whole(_ number: Double) -> JSONValue { Int(exactly: number).map { .int($0) } ?? .double(number) }
    var config: JSONObject = [
      "target_modules": modules(tensors), "fan_in_fan_out": .bool(family == "gpt2"),
    ]
    if adapter.plugin == "lora" {
      config["r"] = whole(number("r"))
      config["lora_alpha"] = whole(number("alpha"))
      config["lora_dropout"] = .double(number("dropout"))
      config["use_rslora"] = .bool(adapter.hyperparameters["rslora"] == .bool(true))
    } else {
      config["feedforward_modules"] = modules(tensors.filter { $0.shape.first == 1 })
    }
    return config
  }

  /// What LORA's config has beside what depends on the adapter: PEFT's defaults.
  static let lora: JSONObject = [
    "alora_invocation_tokens": .null, "alpha_pattern": [:], "arrow_config": .null, "bias": "none",
    "corda_config": .null, "ensure_weight_tying": false, "eva_config": .null, "exclude_modules": .null,
    "fan_in_fan_out": false, "init_lora_weights": true, "kasa_config": .null, "layer_replication": .null,
    "layers_pattern": .null, "layers_to_transform": .null, "loftq_config": [:], "lora_alpha": .null,
    "lora_bias": false, "lora_dropout": 0.0, "lora_ga_config": .null, "megatron_config": .null,
    "megatron_core": "megatron.core", "monteclora_config": .null, "qalora_group_size": 16, "r": .null,
    "rank_pattern": [:], "target_modules": .null, "target_parameters": .null,
    "trainable_token_indices": .null, "use_bdlora": .null, "use_dora": false, "use_qalora": false,
    "use_rslora": false, "velora_config": .null,
  ]
  /// The same for IA3.
  static let ia3: JSONObject = [
    "exclude_modules": .null, "fan_in_fan_out": false, "feedforward_modules": .null,
    "init_ia3_weights": true, "target_modules": .null,
  ]
}
