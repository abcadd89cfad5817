import CPTune
import PTune

/// What adapters and heads may ask of the base model and its text.
struct BaseServices {
  var facts: ptune_base_facts_v1?
  var wordTable: Weight?
  /// What word embeddings are multiplied by where they enter the model.
  var wordScale: Float = 1
  /// What the base model read of config.json while it was created, and what it says it knows; nil if it does not say.
  var configurationRead: Set<String> = []
  var configurationUnderstood: Set<String>?
  /// Tensors of which it has slices.
  var sliced: [String: (shape: [Int], stored: StoredTensor)] = [:]
  var tokenize: ((String) -> [Int32])?
  var frequentTokens: ((Int) -> [Int32])?
  var pooler: ((Node) throws -> Node?)?
  var vocabularyScores: ((Node) throws -> Node?)?
  var specialToken: ((Base.SpecialToken) -> Int32?)?
  var layerRows: (([Int32], _ layer: Int, Base.LayerPart) throws -> [Float])?
  /// The linear layers that the base model named.
  var sites = Sites()
  var tasks: [TaskFacts] = []
  /// The task whose head is being created.
  var headTask: Int?
  var selector: ((Int, Node, Node) throws -> Node?)?
  /// The pool that the adapter announced for the selector.
  var pool: (keys: Int, columns: Int)?
  /// The adapter that did.
  var poolOwner: ComponentIdentity?
}
