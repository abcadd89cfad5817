/// How rows become what the base model is given, where transformers' classes do otherwise than ptune's own adapters.
package struct InputReading: Equatable, Sendable {
  /// Whether the model sees which of two texts a token is of; if not, all have the type 0.
  package var usesTokenTypes = true
  /// A token that takes no position.
  package var uncountedToken: Int32?
  /// Which token of `input_ids` a text's scores are read from.
  package var readToken = ReadToken.ofText
  /// Whether a token ends texts that a causal model goes on with.
  package var endsTexts = true

  /// What ptune does.
  package init() {}
}
