import PTune
import PTuneFormats

/// Why an adapter folder cannot be used.
public enum AdapterError: HelpfulError, Equatable {
  /// A folder that is no adapter of ptune.
  case notAnAdapter(folder: String, reason: String)
  /// The folder does not say which base model it is for.
  case noBaseModel(folder: String)
  /// The base model that the adapter was trained on is not where it was.
  case baseNotFound(adapter: String, ModelError)
  /// The adapter was trained on another base model.
  case otherBase(adapter: String, trainedOn: String, model: String)
  /// A tensor of the adapter file does not fit.
  case tensor(file: String, name: String, reason: String)
  /// The adapter's file holds no tensor, or one without values.
  case noValues(file: String, tensor: String?)
  /// A tensor of an adapter that PEFT wrote does not fit the base model.
  case foreignTensor(file: String, name: String, reason: String)
  /// None of its adapters has this name.
  case unknownAdapter(folder: String, String, known: [String])
  /// A task that the adapter does not have.
  case unknownTask(String, known: [String])
  /// The adapter has several tasks, and none was named.
  case ambiguousTask(known: [String])
  /// The adapter's plugin saves a hyperparameter as something that none can be.
  case unsavable(adapter: String, hyperparameter: String, kind: String)
  /// A plugin declares a parameter that the adapter does not have, since it was trained with another version of it.
  case otherParameters(
    folder: String, parameter: String, component: String, present: String, trained: String, file: String)
  /// The adapter replaces weights of the base model, which ptune does not train.
  case untrainable(folder: String, weights: [String])
}

extension AdapterError {
  /// What went wrong, where.
  public var description: String {
    switch self {
    case .notAnAdapter(let folder, let reason): "\(folder) is not an adapter folder: \(reason)"
    case .noBaseModel(let folder): "\(folder) does not say which base model it is for"
    case .baseNotFound(let adapter, let error): "the base model of \(adapter) is missing: \(error)"
    case .otherBase(let adapter, let trainedOn, let model):
      "\(adapter) was trained on \(trainedOn), but \(model) has other weights"
    case .tensor(let file, let name, let reason), .foreignTensor(let file, let name, let reason):
      "\(file): tensor '\(name)' \(reason)"
    case .noValues(let file, let tensor?): "\(file): tensor '\(tensor)' has no values"
    case .noValues(let file, nil): "\(file) holds no tensor"
    case .unknownAdapter(let folder, let name, let known):
      "\(folder) has no adapter '\(name)'; it has \(known.joined(separator: ", "))"
    case .unknownTask(let name, let known):
      "there is no task '\(name)'; the adapter has \(known.joined(separator: ", "))"
    case .ambiguousTask(let known): "the adapter has several tasks: \(known.joined(separator: ", "))"
    case .unsavable(let adapter, let hyperparameter, let kind):
      "the adapter '\(adapter)' saves \(kind) as its hyperparameter '\(hyperparameter)'"
    case .otherParameters(let folder, let parameter, let component, let present, let trained, _):
      "\(component) \(present) has a parameter '\(parameter)', which '\(folder)' does not hold: it was trained with \(trained)"
    case .untrainable(let folder, let weights):
      "\(folder) replaces weights of the base model (\(weights.joined(separator: ", "))), and ptune trains none"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .notAnAdapter: "give the folder that 'ptune train' wrote, OUTPUT/adapter, or one that PEFT saved"
    case .noBaseModel: "name it with --base-model"
    case .baseNotFound: "give its present folder with --base-model"
    case .otherBase: "name the base model on which it was trained with --base-model"
    case .noValues:
      "DeepSpeed's ZeRO-3 leaves such files where each process saves what it holds: gather the weights "
        + "(stage3_gather_16bit_weights_on_model_save, or zero_to_fp32.py) and save the adapter again"
    case .tensor: "the file was changed or truncated after it was written; train again or fetch it again"
    case .foreignTensor:
      "check whether --base-model is the model on which the adapter was trained, and whether the file is complete"
    case .unknownAdapter(_, let name, let known):
      Suggestion.nearest(name, among: known).map { "did you mean '\($0)'?" }
        ?? "name one that it has with --without"
    case .unknownTask(let name, let known):
      Suggestion.nearest(name, among: known).map { "did you mean '\($0)'?" } ?? "name one of them with --task"
    case .ambiguousTask: "name one of them with --task"
    case .unsavable: "this is a fault in its plugin"
    case .otherParameters(_, _, _, _, let trained, let file): "put version \(trained) of \(file) back"
    case .untrainable: "start from an adapter without modules_to_save other than the head's"
    }
  }
}
