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
    case .unknownAdapter(let folder, let name, let known):
      "\(folder) has no adapter '\(name)'; it has \(known.joined(separator: ", "))"
    case .unknownTask(let name, let known):
      "there is no task '\(name)'; the adapter has \(known.joined(separator: ", "))"
    case .ambiguousTask(let known): "the adapter has several tasks: \(known.joined(separator: ", "))"
    case .unsavable(let adapter, let hyperparameter, let kind):
      "the adapter '\(adapter)' saves \(kind) as its hyperparameter '\(hyperparameter)'"
    case .untrainable(let folder, let weights):
      "\(folder) replaces weights of the base model (\(weights.joined(separator: ", "))), and ptune trains none"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .notAnAdapter: "give the folder that 'ptune train' wrote, OUTPUT/adapter, or one that PEFT saved"
    case .noBaseModel: "name it with --base-model"
    case .baseNotFound: "name the folder it is in now with --base-model"
    case .otherBase: "name the base model it was trained on with --base-model"
    case .tensor: "the file was changed or cut since it was written; train again or fetch it again"
    case .foreignTensor:
      "see whether --base-model is the model that the adapter was trained on, and whether the file is whole"
    case .unknownAdapter(_, let name, let known):
      Suggestion.nearest(name, among: known).map { "did you mean '\($0)'?" }
        ?? "name one that it has with --without"
    case .unknownTask(let name, let known):
      Suggestion.nearest(name, among: known).map { "did you mean '\($0)'?" } ?? "name one of them with --task"
    case .ambiguousTask: "name one of them with --task"
    case .unsavable: "this is a fault of its plugin"
    case .untrainable: "go on from an adapter without modules_to_save beside the head's"
    }
  }
}
