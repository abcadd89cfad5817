import PTune
import PTuneFormats
import PTunePlugins

/// What went wrong around a run, and what to do about it.
public enum TrainingError: Error, Equatable, Sendable {
  /// config.json names no `model_type`, and the run file no plugin.
  case noModelType(config: String)
  /// No base model plugin is for the `model_type` of config.json.
  case unknownModelType(config: String, type: String, known: [String])
  /// A row of a data file does not suit the head.
  case row(path: String, line: Int, reason: String)
  /// Fewer than two different labels in the training data.
  case tooFewLabels(path: String, labels: [String])
  /// The base model's plugin cannot use the model's files, whose config.json may name another one.
  case base(folder: String, component: String, reason: String, otherType: OtherModelType?)
  /// A token of a text that the base model's word embeddings have no row for; `place` is its file and line.
  case tokenWithoutRow(place: String, token: String, id: Int, rows: Int)
  /// No row of a file has anything to predict.
  case nothingToPredict(path: String, lines: [Int])
  /// The virtual tokens leave no room for text.
  case noRoom(positions: Int, virtual: Int)
  /// A folder that is no adapter of ptune.
  case notAnAdapter(folder: String, reason: String)
  /// The adapter was trained on another base model.
  case otherBase(adapter: String, trainedOn: String, model: String)
  /// The base model that the adapter was trained on is not where it was.
  case baseNotFound(adapter: String, ModelError)
  /// A hyperparameter does not fit its component.
  case hyperparameter(RunPlace, HyperparameterError)
  /// A tensor of the adapter file does not fit.
  case tensor(file: String, name: String, reason: String)
  /// A tensor of an adapter that PEFT wrote does not fit the base model.
  case foreignTensor(file: String, name: String, reason: String)
  /// PEFT wrote the adapter, and ptune cannot read what it is.
  case unreadablePEFT(folder: String, reason: String, help: String)
  /// A trained adapter that PEFT cannot express, and what would be possible.
  case inexpressible(folder: String, reason: String, help: String)
  /// The adapter asks a selector, and the run names none.
  case noSelector(RunPlace?, adapter: String, known: [String])
  /// A selector was named, but this adapter asks none; or the like.
  case unusable(String, help: String)
  /// Another process trains into this folder.
  case outputInUse(folder: String)
  /// A task that the adapter does not have.
  case unknownTask(String, known: [String])
  /// The adapter has several tasks, and none was named.
  case ambiguousTask(known: [String])
  /// A prompt to go on with is too long; `place` is its file and line.
  case longPrompt(place: String, tokens: Int, room: Int)
  /// A prompt to go on with has no tokens, and the tokenizer has none that begins a text.
  case emptyPrompt(place: String)
}

extension TrainingError: CustomStringConvertible {
  /// What went wrong, where.
  public var description: String {
    switch self {
    case .noModelType(let config):
      "\(config) has no model_type, so it is not clear which base model plugin fits"
    case .unknownModelType(let config, let type, _):
      "\(config): model_type '\(type)' is none that a base model plugin is for"
    case .row(let path, let line, let reason): "\(path):\(line): \(reason)"
    case .tooFewLabels(let path, let labels):
      "\(path) holds \(labels.isEmpty ? "no label" : "only the label '\(labels[0])'"); two or more are needed"
    case .base(let folder, let component, let reason, _): "\(folder) does not suit \(component): \(reason)"
    case .tokenWithoutRow(let place, let token, let id, let rows):
      "\(place): the token '\(token)' has the id \(id), but the base model's word embeddings have \(rows) rows"
    case .nothingToPredict(let path, let lines):
      "\(path): no row has a token to predict (\(RowLines(lines)))"
    case .noRoom(let positions, let virtual):
      "\(virtual) virtual tokens leave no room for text in the base model's \(positions) positions"
    case .notAnAdapter(let folder, let reason): "\(folder) is not an adapter folder: \(reason)"
    case .otherBase(let adapter, let trainedOn, let model):
      "\(adapter) was trained on \(trainedOn), but \(model) has other weights"
    case .baseNotFound(let adapter, let error): "the base model of \(adapter) is missing: \(error)"
    case .hyperparameter(let place, let error): "\(place): \(error)"
    case .tensor(let file, let name, let reason), .foreignTensor(let file, let name, let reason):
      "\(file): tensor '\(name)' \(reason)"
    case .unreadablePEFT(let folder, let reason, _):
      "\(folder) is an adapter of PEFT that ptune does not read: \(reason)"
    case .inexpressible(let folder, let reason, _): "PEFT cannot express \(folder): \(reason)"
    case .noSelector(let place, let adapter, _):
      (place.map { "\($0): " } ?? "")
        + "the adapter '\(adapter)' asks a selector for weights over its pool, and the run names none"
    case .unusable(let what, _): what
    case .outputInUse(let folder): "another ptune is training into '\(folder)'"
    case .unknownTask(let name, let known):
      "there is no task '\(name)'; the adapter has \(known.joined(separator: ", "))"
    case .longPrompt(let place, let tokens, let room):
      "\(place): the prompt has \(tokens) tokens, but the base model has positions for \(room), virtual tokens aside"
    case .emptyPrompt(let place):
      "\(place): the prompt is empty, and the tokenizer has no token that begins a text"
    case .ambiguousTask(let known): "the adapter has several tasks: \(known.joined(separator: ", "))"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .noModelType:
      "put it into config.json, or name the plugin in the run file: 'base: {plugin: bert, model: …}'"
    case .unknownModelType(_, _, let known):
      "there are \(known.sorted().joined(separator: ", ")); a plugin of yours may add one, see Docs/write-a-plugin.md"
    case .row: "correct the row, or check the columns and labels that the run names"
    case .tooFewLabels: "check the 'label' column of the data section"
    case .base(_, _, _, let other?): other.help
    case .base: "see whether the model is of another kind, or whether its config.json was changed"
    case .tokenWithoutRow:
      "take the token out of the text, or use the tokenizer that came with the checkpoint, or a checkpoint whose word "
        + "embeddings were resized for it"
    case .nothingToPredict: "see whether these rows are empty, and whether the run names the right columns"
    case .noRoom: "use fewer virtual tokens"
    case .notAnAdapter: "give the folder that 'ptune train' wrote, OUTPUT/adapter, or one that PEFT saved"
    case .otherBase: "name the base model it was trained on with --base-model"
    case .baseNotFound: "name the folder it is in now with --base-model"
    case .hyperparameter(_, let error): error.help
    case .tensor: "the file was changed or cut since it was written; train again or fetch it again"
    case .foreignTensor:
      "see whether --base-model is the model that the adapter was trained on, and whether the file is whole"
    case .noSelector(_, _, let known):
      if let first = known.first {
        "add these lines to the run file (there are \(known.joined(separator: ", ")))\n\n"
          + "selector:\n  plugin: \(first)\n"
      } else {
        "no plugin has a selector; `ptune list-plugins` shows where they are looked for"
      }
    case .unusable(_, let help), .inexpressible(_, _, let help), .unreadablePEFT(_, _, let help): help
    case .outputInUse: "wait until it has ended, or give this run another folder with --output"
    case .longPrompt: "shorten it; nothing is cut off a prompt"
    case .emptyPrompt: "give at least one word"
    case .unknownTask(let name, let known):
      Suggestion.nearest(name, among: known).map { "did you mean '\($0)'?" } ?? "name one of them with --task"
    case .ambiguousTask: "name one of them with --task"
    }
  }
}

/// A `model_type` in config.json for which another base model plugin was chosen.
public struct OtherModelType: Equatable, Sendable {
  /// The model type.
  public let type: String
  /// The base model plugin that was chosen.
  public let chosen: String
  /// The base models that the plugins have.
  public let known: [String]

  /// What to do about it.
  var help: String {
    known.contains(type)
      ? "config.json says model_type '\(type)': leave 'plugin: \(chosen)' out of the run file's 'base', or name '\(type)'"
      : "config.json says model_type '\(type)', and no base model plugin is for that; there are "
        + "\(known.sorted().joined(separator: ", ")); a plugin of yours may add one, see Docs/write-a-plugin.md"
  }
}
