import PTuneText

/// Stands in for a tokenizer that the model's folder does not have: rows of token ids need none.
///
/// Whoever is about to cut a text asks ``Tokenizer/checkPresent()`` first.
package struct MissingTokenizer: Tokenizer {
  /// What was looked for.
  let error: TextError
  /// The rows of the model's embedding table.
  package let vocabularySize: Int
  package let specialTokens = SpecialTokens()
  package let template = SequenceTemplate.plain

  package func pieces(utf8: UnsafeBufferPointer<UInt8>) -> [TokenPiece] { [] }
  package func token(_ id: Int32) -> String? { nil }
  package func id(_ token: String) -> Int32? { nil }
  package func decode(_ ids: some Sequence<Int32>, skippingSpecialTokens: Bool) -> String { "" }
}

extension MissingTokenizer {
  /// The tokenizer of a model's folder, or what stands in for it.
  ///
  /// - Throws: `TextError` for files that are damaged or of a kind that is not supported.
  package static func orTokenizer(of checkpoint: ModelCheckpoint, folder: String) throws -> any Tokenizer {
    do throws(TextError) {
      return try TokenizerLoader.load(folder)
    } catch {
      guard case .tokenizerMissing = error, let size = try checkpoint.config.integer("vocab_size") else {
        throw error
      }
      return MissingTokenizer(error: error, vocabularySize: size)
    }
  }
}

extension Tokenizer {
  /// Makes sure that it can cut texts.
  ///
  /// - Throws: `TextError.tokenizerMissing`.
  package func checkPresent() throws(TextError) {
    if let missing = self as? MissingTokenizer { throw missing.error }
  }
}
