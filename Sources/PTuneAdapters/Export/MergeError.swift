import PTuneFormats

/// Why a prompt cannot become tokens of its base model.
public enum MergeError: HelpfulError, Equatable {
  /// Several adapters work together.
  case severalAdapters([String])
  /// The adapter replaces weights of the base model.
  case replacesWeights(folder: String, [String])
  /// A GGUF file has no place for the head.
  case noPlaceForHead(String, file: String)
  /// The adapter has no prompt at the input.
  case noPrompt(adapter: String)
  /// The prompt stands in the middle of each text.
  case promptInMiddle
  /// The tokenizer has a token of this name.
  case tokenExists(String)
  /// Nothing tells which weight is the table of word embeddings.
  case unknownEmbeddings(model: String)
  /// A weight that does not contain floats.
  case noFloats(tensor: String, model: String)
  /// The tokenizer has more tokens than the weight has rows.
  case tooFewRows(tensor: String, model: String)
  /// A GGUF file whose table has not a row for each token.
  case tokensWithoutRows(file: String, tensor: String)
  /// A GGUF file that does not say of what type its tokens are.
  case noTokenTypes(file: String)
}

extension MergeError {
  /// What is wrong, where.
  public var description: String {
    switch self {
    case .severalAdapters(let names):
      "\(names.joined(separator: " and ")) are used together, and tokens can only be a prompt"
    case .replacesWeights(let folder, let weights):
      "\(folder) replaces weights of the base model (\(weights.joined(separator: ", "))), which a merged model keeps"
    case .noPlaceForHead(let head, let file):
      "\(file) is a GGUF file, which has no place for the head '\(head)'"
    case .noPrompt(let adapter): "'\(adapter)' has no prompt at the input whose rows could be tokens"
    case .promptInMiddle: "the rows are in the middle of each text, so there is no prompt to type"
    case .tokenExists(let token): "the base model's tokenizer has a token '\(token)' already"
    case .unknownEmbeddings(let model): "ptune does not know the word embeddings of \(model)"
    case .noFloats(let tensor, let model): "'\(tensor)' of \(model) does not contain floats"
    case .tooFewRows(let tensor, let model):
      "the tokenizer of \(model) has more tokens than '\(tensor)' has rows"
    case .tokensWithoutRows(let file, let tensor):
      "\(file) has not as many rows in '\(tensor)' as its tokenizer has tokens"
    case .noTokenTypes(let file):
      "\(file) does not give the types of its tokens, so none can be special"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .severalAdapters: "train one adapter alone"
    case .replacesWeights: "merge an adapter without modules_to_save other than the head's"
    case .noPlaceForHead: "name the same model as a folder of safetensors with --base-model"
    case .noPrompt:
      "train prompt-tuning or p-tuning; for multitask-prompt-tuning give --task, for a pool --select"
    case .promptInMiddle: "train with 'placement: start' or 'placement: after-first'"
    case .tokenExists: "name the original base model, without merged tokens, with --base-model"
    case .unknownEmbeddings: "use a model of a family for which ptune loads PEFT's adapters"
    case .noFloats: "use a model that is not quantised"
    case .tooFewRows: "use the tokenizer that came with the weights"
    case .tokensWithoutRows, .noTokenTypes: "convert the model again with a current llama.cpp"
    }
  }
}
