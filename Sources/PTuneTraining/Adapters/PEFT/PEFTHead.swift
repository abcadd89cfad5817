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
      "bert": Classifier(basePooler: true),
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

  /// The head's component.
  let component: ComponentChoice
  /// The modules of the transformers class that hold its layers' weights, by the layers' names.
  let modules: [String: String]

  /// The head of a model.
  ///
  /// - Parameters:
  ///   - config: the base model's.
  ///   - outputs: the rows of a module's weight; nil if there is no such weight.
  /// - Throws: ``TrainingError/unsupportedPEFT(folder:reason:)`` for a combination that ptune has no head for.
  init(
    _ type: TaskType, of config: ModelConfig, folder: String, outputs: (_ module: String) -> Int?
  ) throws {
    let family = config.modelType ?? "null"
    func unknown() -> TrainingError {
      .unsupportedPEFT(
        folder: folder, reason: "task_type is '\(type.rawValue)', and the base model's model_type '\(family)'"
      )
    }
    switch type {
    case .causalLM: (component, modules) = (ComponentChoice(plugin: "causal-lm"), [:])
    case .questionAnswering:
      component = ComponentChoice(plugin: "extractive-qa")
      modules = ["qa_outputs": "qa_outputs"]
    case .tokenClassification:
      guard let (module, dropout) = Self.tokenClassifiers[family] else { throw unknown() }
      component = ComponentChoice(
        plugin: "token-classification",
        hyperparameters: [
          "labels": .strings(try Self.labels(config, count: outputs(module))),
          "dropout": .double(try Self.dropout(config, dropout)),
        ])
      modules = ["classifier": module]
    case .sequenceClassification:
      guard let classifier = Self.textClassifiers[family] else { throw unknown() }
      component = try Self.textClassifier(classifier, config, folder, outputs(classifier.output))
      modules = ["classifier": classifier.output].merging(
        classifier.hidden.map { ["hidden.0": $0.module] } ?? [:]
      ) { $1 }
    }
  }

  /// `sequence-classification`, or `regression` where there is one score, as transformers decides it.
  private static func textClassifier(
    _ classifier: Classifier, _ config: ModelConfig, _ folder: String, _ outputs: Int?
  ) throws -> ComponentChoice {
    let labels = try labels(config, count: outputs)
    let problem = try config.string("problem_type")
    var hyperparameters: [String: HyperparameterValue] = [
      "pooling": .string(classifier.pooling), "base_pooler": .bool(classifier.basePooler),
      "bias": .bool(classifier.bias), "dropout": .double(try dropout(config, classifier.dropout)),
    ]
    if let hidden = classifier.hidden {
      hyperparameters["hidden_layers"] = .int(1)
      hyperparameters["activation"] = .string(hidden.activation)
    }
    if problem == "regression" || problem == nil && labels.count == 1 {
      guard labels.count == 1 else {
        throw TrainingError.unsupportedPEFT(
          folder: folder, reason: "it is a regression with \(labels.count) numbers for each text")
      }
      return ComponentChoice(plugin: "regression", hyperparameters: hyperparameters)
    }
    hyperparameters["labels"] = .strings(labels)
    hyperparameters["multi_label"] = .bool(problem == "multi_label_classification")
    return ComponentChoice(plugin: "sequence-classification", hyperparameters: hyperparameters)
  }

  /// The names that config.json gives labels, if it has as many as there are scores; else those that transformers gives
  /// them.
  ///
  /// A number of labels that was said in Python is in no config.json, but the weights have it.
  private static func labels(_ config: ModelConfig, count: Int?) throws -> [String] {
    let named = config.value("id2label")?.objectValue
    let count = try count ?? named?.count ?? config.integer("num_labels") ?? 2
    let names = (0..<count).compactMap { named?["\($0)"]?.stringValue }
    return names.count == count && named?.count == count && Set(names).count == count
      ? names : (0..<count).map { "LABEL_\($0)" }
  }

  private static func dropout(_ config: ModelConfig, _ keys: [String]) throws -> Double {
    if keys.isEmpty { return 0 }
    for key in keys {
      if let share = try config.number(key) { return min(max(share, 0), 0.99) }
    }
    return 0.1
  }
}
