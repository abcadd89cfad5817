import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins

/// The methods of PEFT that ptune reads and writes: the one place that knows which component each is.
struct PEFTMethod: Sendable {
  /// `peft_type`.
  let type: String
  /// What its config has beside ``commonKeys``, for a prompt that was trained elsewhere. What made it in training is folded
  /// away and leaves no trace but here, so these are PEFT's defaults; null for what depends on the adapter.
  let members: JSONObject
  /// Whether its prompt stands among the word embeddings.
  let promptAtInput: Bool
  /// The adapter component.
  let plugin: String
  /// The hyperparameters of that component that make it compute what PEFT does.
  let settings: [String: HyperparameterValue]
  /// Other components that compute the same if these hyperparameters also have these values.
  let others: [String: [String: HyperparameterValue]]
  /// Whether it attaches to linear layers; else it is a prompt.
  let attaches: Bool
  /// Whether each of several tasks has tensors of its own.
  let isMultitask: Bool

  private init(
    _ type: String, _ plugin: String, members: JSONObject, promptAtInput: Bool = true,
    attaches: Bool = false, isMultitask: Bool = false, _ settings: [String: HyperparameterValue],
    others: [String: [String: HyperparameterValue]] = [:]
  ) {
    (self.type, self.plugin, self.members, self.promptAtInput) = (type, plugin, members, promptAtInput)
    (self.isMultitask, self.settings, self.others) = (isMultitask, settings, others)
    self.attaches = attaches
  }

  /// Stands before the modules of the base model in the files of a method that attaches to layers.
  static let attachedPrefix = "base_model.model."
  /// Stands before those of the base model's modules that PEFT saved with the adapter (`modules_to_save`).
  var modulePrefix: String { attaches ? Self.attachedPrefix : "base_model." }

  private static let prompt = "prompt_embeddings"

  /// What every method's config may have.
  static let commonKeys: Set<String> = [
    "auto_mapping", "base_model_name_or_path", "inference_mode", "modules_to_save", "num_attention_heads",
    "num_layers", "num_transformer_submodules", "num_virtual_tokens", "peft_type", "peft_version", "revision",
    "task_type", "token_dim",
  ]

  private static let promptTuning: JSONObject = [
    "prompt_tuning_init": "RANDOM", "prompt_tuning_init_text": .null, "tokenizer_kwargs": .null,
    "tokenizer_name_or_path": .null,
  ]

  private static let multitask: JSONObject = {
    var members = promptTuning
    members["num_ranks"] = .null
    members["num_tasks"] = .null
    members["prompt_tuning_init_state_dict_path"] = .null
    members["prompt_tuning_init_task"] = 0
    return members
  }()

  /// PEFT folds what makes a prompt away when it saves, as ptune does.
  static let all: [PEFTMethod] = [
    PEFTMethod(
      "PROMPT_TUNING", "prompt-tuning", members: promptTuning, ["placement": .string("start")],
      others: ["residual-prompt-tuning": ["encoder": .string("none")]]),
    PEFTMethod(
      "P_TUNING", "p-tuning",
      members: [
        "encoder_dropout": 0.0, "encoder_hidden_size": .null, "encoder_num_layers": 2,
        "encoder_reparameterization_type": "MLP",
      ],
      ["placement": .string("start"), "encoder": .string("none")]),
    PEFTMethod(
      "PREFIX_TUNING", "prefix-tuning",
      members: ["encoder_hidden_size": .null, "init_weights": .null, "prefix_projection": false],
      promptAtInput: false, ["form": .string("key-value"), "shift_positions": .bool(true)],
      others: ["p-tuning-v2": ["depth": .int(0)]]),
    PEFTMethod(
      "MULTITASK_PROMPT_TUNING", "multitask-prompt-tuning", members: multitask, isMultitask: true,
      ["form": .string("factors"), "placement": .string("start")]),
    PEFTMethod("LORA", "lora", members: PEFTSites.lora, promptAtInput: false, attaches: true, [:]),
    PEFTMethod("IA3", "ia3", members: PEFTSites.ia3, promptAtInput: false, attaches: true, [:]),
  ]

  /// The adapter component of a prompt, set so that it has one parameter for each tensor.
  func component(_ config: PEFTConfig) throws(AdapterError) -> ComponentChoice {
    var hyperparameters = settings
    hyperparameters["virtual_tokens"] = .int(try config.count("num_virtual_tokens"))
    // Its start does not matter, but that of tokens would need a text, or a tokenizer.
    if plugin != "p-tuning" { hyperparameters["initialization"] = .string("random") }
    if isMultitask { hyperparameters["rank"] = .int(try config.count("num_ranks", default: 1)) }
    return ComponentChoice(plugin: plugin, hyperparameters: hyperparameters)
  }

  /// Where the values of a prompt's parameters are, by their names.
  ///
  /// All tasks' columns [T, P, r] and rows [T, r, H] are one tensor each.
  func tensors(_ tasks: [String]) -> [String: TensorPlace] {
    var places = [Self.prompt: TensorPlace.adapter(Self.prompt)]
    guard isMultitask else { return places }
    for (index, task) in tasks.enumerated() {
      places[ParameterOwner.task(task) + "columns"] = .adapter("prefix_task_cols", element: index)
      places[ParameterOwner.task(task) + "rows"] = .adapter("prefix_task_rows", element: index)
    }
    return places
  }

  /// The hyperparameters that a component has to have for PEFT to compute the same; nil for another method's component.
  func settings(of plugin: String) -> [String: HyperparameterValue]? {
    if plugin == self.plugin { return settings }
    return others[plugin].map { settings.merging($0) { $1 } }
  }
}
