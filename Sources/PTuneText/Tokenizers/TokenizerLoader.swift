/// Reads a tokenizer from the folder of a model.
public enum TokenizerLoader {
  /// The tokenizer of `folder`: `tokenizer.json` if it is there, else `vocab.txt` with what
  /// `tokenizer_config.json` says about it.
  ///
  /// - Throws: `TextError` naming the file, and the line or the key in it: a file that is missing, damaged, or of a
  ///   kind that is not supported.
  public static func load(_ folder: String) throws(TextError) -> any Tokenizer {
    let path = { (name: String) in folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)" }
    if ByteFile.exists(path("tokenizer.json")) { return try load(tokenizerJSON: path("tokenizer.json")) }
    guard ByteFile.exists(path("vocab.txt")) else {
      throw .tokenizerMissing(folder: folder, looked: ["tokenizer.json", "vocab.txt"])
    }
    let configuration = path("tokenizer_config.json")
    return try load(
      vocabularyText: path("vocab.txt"), configuration: ByteFile.exists(configuration) ? configuration : nil)
  }

  /// The tokenizer that a `tokenizer.json` describes. Its truncation and padding settings are not applied: the
  /// caller of `encode` says how many positions are free, and nothing is ever padded.
  ///
  /// - Throws: `TextError` naming the file and the key in it.
  public static func load(tokenizerJSON path: String) throws(TextError) -> any Tokenizer {
    let top = try JSONNode(contentsOf: path)
    let model = try top.member("model")
    try expect(try model.member("type"), among: ["WordPiece"])
    return try WordPieceReader(top: top, model: model).tokenizer()
  }

  /// Throws unless a type is among those supported.
  static func expect(_ type: JSONNode, among supported: [String]) throws(TextError) {
    let name = try type.string()
    if !supported.contains(name) {
      throw .unsupported(path: type.path, key: type.key, type: name, supported: supported)
    }
  }
}
