import PTunePlugins

/// The methods of PEFT that ptune reads: the one place that knows which component each is.
struct PEFTMethod: Sendable {
  /// `peft_type`.
  let type: String
  /// What its config has beside ``commonKeys``.
  let keys: Set<String>
  /// Whether its prompt stands among the word embeddings.
  let promptAtInput: Bool
  /// The adapter component, set so that it has one parameter for each tensor.
  let component: @Sendable (PEFTConfig) throws(TrainingError) -> ComponentChoice
  /// Where the values of that component's parameters are, by their names.
  let tensors: @Sendable (_ tasks: [String]) -> [String: TensorPlace]

  /// One tensor, `prompt_embeddings`, for one parameter of that name.
  private init(
    _ type: String, _ plugin: String, keys: Set<String>, promptAtInput: Bool = true,
    _ hyperparameters: [String: HyperparameterValue]
  ) {
    self.type = type
    self.keys = keys
    self.promptAtInput = promptAtInput
    component = { config throws(TrainingError) in
      var hyperparameters = hyperparameters
      hyperparameters["virtual_tokens"] = .int(try config.count("num_virtual_tokens"))
      return ComponentChoice(plugin: plugin, hyperparameters: hyperparameters)
    }
    tensors = { _ in [Self.prompt: .adapter(Self.prompt)] }
  }

  private init(
    _ type: String, keys: Set<String>,
    component: @escaping @Sendable (PEFTConfig) throws(TrainingError) -> ComponentChoice,
    tensors: @escaping @Sendable ([String]) -> [String: TensorPlace]
  ) {
    (self.type, self.keys, self.component, self.tensors) = (type, keys, component, tensors)
    promptAtInput = true
  }

  private static let prompt = "prompt_embeddings"

  /// What every prompt method's config may have.
  static let commonKeys: Set<String> = [
    "auto_mapping", "base_model_name_or_path", "inference_mode", "modules_to_save", "num_attention_heads",
    "num_layers", "num_transformer_submodules", "num_virtual_tokens", "peft_type", "peft_version", "revision",
    "task_type", "token_dim",
  ]

  private static let promptTuningKeys: Set<String> = [
    "prompt_tuning_init", "prompt_tuning_init_text", "tokenizer_kwargs", "tokenizer_name_or_path",
  ]

  /// PEFT folds what makes a prompt away when it saves, as ptune does, so encoders and projections leave no trace but
  /// in the config.
  static let all: [PEFTMethod] = [
    PEFTMethod(
      "PROMPT_TUNING", "prompt-tuning", keys: promptTuningKeys,
      ["placement": .string("start"), "initialization": .string("random")]),
    PEFTMethod(
      "P_TUNING", "p-tuning",
      keys: [
        "encoder_dropout", "encoder_hidden_size", "encoder_num_layers", "encoder_reparameterization_type",
      ],
      ["placement": .string("start"), "encoder": .string("none")]),
    PEFTMethod(
      "PREFIX_TUNING", "prefix-tuning", keys: ["encoder_hidden_size", "init_weights", "prefix_projection"],
      promptAtInput: false,
      ["form": .string("key-value"), "shift_positions": .bool(true)]),
    // All tasks' columns [T, P, r] and rows [T, r, H] are one tensor each.
    PEFTMethod(
      "MULTITASK_PROMPT_TUNING",
      keys: promptTuningKeys.union([
        "num_ranks", "num_tasks", "prompt_tuning_init_state_dict_path", "prompt_tuning_init_task",
      ]),
      component: { config throws(TrainingError) in
        ComponentChoice(
          plugin: "multitask-prompt-tuning",
          hyperparameters: [
            "form": .string("factors"), "placement": .string("start"), "initialization": .string("random"),
            "virtual_tokens": .int(try config.count("num_virtual_tokens")),
            "rank": .int(try config.count("num_ranks", default: 1)),
          ])
      },
      tensors: { tasks in
        var places = [prompt: TensorPlace.adapter(prompt)]
        for (index, task) in tasks.enumerated() {
          places["tasks.\(task).columns"] = .adapter("prefix_task_cols", element: index)
          places["tasks.\(task).rows"] = .adapter("prefix_task_rows", element: index)
        }
        return places
      }),
  ]
}
