import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins

/// The task head that a class of transformers has, `BertForSequenceClassification` and the like: what ptune calls it and
/// where its weights are.
struct PEFTHead {
  /// PEFT's `task_type`, as far as ptune has a head for it.
  enum TaskType: String, CaseIterable {
    case sequenceClassification = "SEQ_CLS"
    case tokenClassification = "TOKEN_CLS"
    case questionAnswering = "QUESTION_ANS"
    case causalLM = "CAUSAL_LM"
  }

  /// The layers of a family's classifier.
  private struct Classifier {
    /// The row that stands for a text. Encoders read the very first one, which under an input prompt is a virtual token.
    var pooling = "first"
    var basePooler = false
    /// What the class calls the base model's own pooling layer. A checkpoint may lack it: the class begins with a random one
    /// then, so an adapter has to hold it, and ptune's head has it as a hidden layer.
    var pooler: String?
    /// A hidden layer, and what follows it.
    var hidden: (module: String, activation: String)?
    /// The layer that makes the scores.
    var output = "classifier"
    var bias = true
    /// The keys of config.json that say what its dropout is, the first that is set.
    var dropout = ["classifier_dropout", "hidden_dropout_prob"]
  }

  /// What classifies texts, by `model_type`.
  private static let textClassifiers: [String: Classifier] = {
    let roberta = Classifier(hidden: ("classifier.dense", "tanh"), output: "classifier.out_proj")
    let decoder = Classifier(pooling: "last", output: "score", bias: false, dropout: [])
    return [
      "bert": Classifier(basePooler: true, pooler: "bert.pooler.dense"),
      "distilbert": Classifier(hidden: ("pre_classifier", "relu"), dropout: ["seq_classif_dropout"]),
      "roberta": roberta, "xlm-roberta": roberta,
      "gpt2": decoder, "llama": decoder, "qwen2": decoder, "mistral": decoder,
    ]
  }()

  /// What classifies tokens, by `model_type`: the layer and its dropout.
  private static let tokenClassifiers: [String: (module: String, dropout: [String])] = {
    let encoder = ("classifier", ["classifier_dropout", "hidden_dropout_prob"])
    let decoder = ("score", ["classifier_dropout", "hidden_dropout"])
    return [
      "bert": encoder, "distilbert": ("classifier", ["dropout"]), "roberta": encoder, "xlm-roberta": encoder,
      "gpt2": ("classifier", decoder.1), "llama": decoder, "qwen2": decoder, "mistral": decoder,
    ]
  }()

  /// What a transformers class does with the rows of a model's last layer.
  struct Layout {
    /// The hyperparameters of ptune's head that make it compute the same.
    let settings: [String: HyperparameterValue]
    /// The modules of the class that hold the weights of the head's layers, by the layers' names.
    let modules: [String: String]
    /// The keys of config.json that say what its dropout is, the first that is set.
    let dropout: [String]
    /// A module beside the usual ones that PEFT has to save with the adapter.
    var savedBeside: String?

    /// Where the weights of every task's head are, by the names that ptune saves them under.
    func places(_ tasks: [String], _ place: (_ weight: String) -> TensorPlace) -> [String: TensorPlace] {
      var places: [String: TensorPlace] = [:]
      for (layer, module) in modules {
        for part in ["weight", "bias"] {
          for task in tasks {
            places["\(ParameterOwner.head(task)).\(layer).\(part)"] = place("\(module).\(part)")
          }
        }
      }
      return places
    }
  }

  /// The layout of a model's class; nil for a combination that ptune has no head for.
  ///
  /// - Parameter has: whether the checkpoint has a weight, by the name that the class gives it.
  static func layout(_ type: TaskType, family: String?, has: (_ weight: String) -> Bool) -> Layout? {
    switch type {
    case .causalLM: return Layout(settings: [:], modules: [:], dropout: [])
    case .questionAnswering:
      return Layout(settings: [:], modules: ["qa_outputs": "qa_outputs"], dropout: [])
    case .tokenClassification:
      return tokenClassifiers[family ?? ""].map {
        Layout(settings: [:], modules: ["classifier": $0.module], dropout: $0.dropout)
      }
    case .sequenceClassification:
      guard let classifier = textClassifiers[family ?? ""] else { return nil }
      var settings: [String: HyperparameterValue] = [
        "pooling": .string(classifier.pooling), "base_pooler": .bool(classifier.basePooler),
        "bias": .bool(classifier.bias), "hidden_layers": .int(0),
      ]
      var modules = ["classifier": classifier.output]
      var savedBeside: String?
      if let pooler = classifier.pooler, !has("\(pooler).weight") {
        settings["base_pooler"] = .bool(false)
        settings["hidden_layers"] = .int(1)
        settings["hidden_size"] = .int(0)
        settings["activation"] = .string("tanh")
        modules["hidden.0"] = pooler
        savedBeside = pooler.split(separator: ".").dropLast().last.map(String.init)
      }
      if let hidden = classifier.hidden {
        settings["hidden_layers"] = .int(1)
        settings["hidden_size"] = .int(0)
        settings["activation"] = .string(hidden.activation)
        modules["hidden.0"] = hidden.module
      }
      return Layout(
        settings: settings, modules: modules, dropout: classifier.dropout, savedBeside: savedBeside)
    }
  }

  /// The head's component.
  let component: ComponentChoice
  /// How the class is made.
  let layout: Layout

  /// The head of a model.
  ///
  /// - Parameters:
  ///   - checkpoint: the base model's.
  ///   - names: what ptune knows of the task; nil if PEFT wrote the adapter.
  ///   - outputs: the rows of a module's weight; nil if there is no such weight.
  /// - Throws: ``PEFTError/unsupported(folder:reason:)`` for a combination that ptune has no head for.
  init(
    _ type: TaskType, of checkpoint: ModelCheckpoint, folder: String, names: PEFTNames.Task?,
    outputs: (_ module: String) -> Int?
  ) throws {
    let config = checkpoint.config
    guard let layout = Self.layout(type, family: config.modelType, has: checkpoint.hasOwn) else {
      throw Self.unsupported(type, config, folder: folder)
    }
    self.layout = layout
    var hyperparameters = layout.settings
    switch type {
    case .causalLM: component = ComponentChoice(plugin: "causal-lm")
    case .questionAnswering: component = ComponentChoice(plugin: "extractive-qa")
    case .tokenClassification, .sequenceClassification:
      let labels = try Self.labels(config, names, count: layout.modules["classifier"].flatMap(outputs))
      let problem = try names?.problemType ?? config.string("problem_type")
      hyperparameters["dropout"] = .double(try Self.dropout(config, layout.dropout))
      if type == .sequenceClassification, problem == "regression" || problem == nil && labels.count == 1 {
        guard labels.count == 1 else {
          throw PEFTError.unsupported(
            folder: folder, reason: "it is a regression with \(labels.count) numbers for each text")
        }
        component = ComponentChoice(plugin: "regression", hyperparameters: hyperparameters)
        return
      }
      hyperparameters["labels"] = .strings(labels)
      if type == .sequenceClassification {
        hyperparameters["multi_label"] = .bool(problem == "multi_label_classification")
      }
      component = ComponentChoice(
        plugin: type == .sequenceClassification ? "sequence-classification" : "token-classification",
        hyperparameters: hyperparameters)
    }
  }

  /// The error for a model whose class ptune does not know.
  static func unsupported(_ type: TaskType, _ config: ModelConfig, folder: String) -> PEFTError {
    .unsupported(
      folder: folder,
      reason:
        "task_type is '\(type.rawValue)', and the base model's model_type '\(config.modelType ?? "null")'")
  }

  /// The names of labels that ptune exported, else those of config.json, if there are as many as there are scores; else
  /// those that transformers gives them.
  ///
  /// A number of labels that was said in Python is in no config.json, but the weights have it.
  private static func labels(_ config: ModelConfig, _ known: PEFTNames.Task?, count: Int?) throws -> [String]
  {
    if let labels = known?.labels, !labels.isEmpty, labels.count == count ?? labels.count { return labels }
    let named = config.value("id2label")?.objectValue?.count
    let count = try count ?? named ?? config.integer("num_labels") ?? 2
    return config.labels.count == count ? config.labels : (0..<count).map { "LABEL_\($0)" }
  }

  private static func dropout(_ config: ModelConfig, _ keys: [String]) throws -> Double {
    if keys.isEmpty { return 0 }
    for key in keys {
      if let share = try config.number(key) { return min(max(share, 0), 0.99) }
    }
    return 0.1
  }
}
