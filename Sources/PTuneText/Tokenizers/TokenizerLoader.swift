import PTuneFormats

/// Reads a tokenizer from the folder of a model, or from its GGUF file.
public enum TokenizerLoader {
  /// The tokenizer of `folder`: `tokenizer.json` if it is there, else `vocab.txt` with what
  /// `tokenizer_config.json` says about it. Of a GGUF file, the tokenizer within it.
  ///
  /// - Throws: `TextError` naming the file, and the line or the key in it: a file that is missing, damaged, or of a
  ///   kind that is not supported.
  public static func load(_ folder: String) throws(TextError) -> any Tokenizer {
    if ModelResolver.isGGUF(folder) { return try GGUFTokenizerReader(folder).tokenizer() }
    let path = { (name: String) in folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)" }
    let settings = path("tokenizer_config.json")
    let configuration = ByteFile.exists(settings) ? settings : nil
    if ByteFile.exists(path("tokenizer.json")) {
      return try load(tokenizerJSON: path("tokenizer.json"), configuration: configuration)
    }
    guard ByteFile.exists(path("vocab.txt")) else {
      throw .tokenizerMissing(folder: folder, looked: files)
    }
    return try load(vocabularyText: path("vocab.txt"), configuration: configuration)
  }

  /// Whether a folder has the files of a tokenizer.
  public static func hasTokenizer(_ folder: String) -> Bool {
    files.contains { ByteFile.exists(FilePath.join(folder, $0)) }
  }

  private static let files = ["tokenizer.json", "vocab.txt"]

  /// The tokenizer that a `tokenizer.json` describes. Its truncation and padding settings are not applied: the
  /// caller of `encode` says how many positions are free, and nothing is ever padded.
  ///
  /// - Parameter configuration: `tokenizer_config.json`, of which the names of special tokens are taken or, for a WordPiece
  ///   model, what transformers' class makes of it: `do_lower_case`, `strip_accents` and `tokenize_chinese_chars`.
  /// - Throws: `TextError` naming the file and the key in it.
  public static func load(
    tokenizerJSON path: String, configuration: String? = nil
  ) throws(TextError) -> any Tokenizer {
    let top = try JSONNode(contentsOf: path)
    let model = try top.member("model")
    // NB: old files of byte-pair encodings do not say what they are.
    guard let type = model["type"] else {
      if model["merges"] == nil { _ = try model.member("type") }
      return try subwords(top, model, configuration).bytePairEncoding()
    }
    switch try type.string() {
    case "BPE": return try subwords(top, model, configuration).bytePairEncoding()
    case "Unigram": return try subwords(top, model, configuration).unigram()
    default:
      try expect(type, among: ["WordPiece", "BPE", "Unigram"])
      return try WordPieceReader(top: top, model: model, configuration: settings(configuration)).tokenizer()
    }
  }

  private static func subwords(
    _ top: JSONNode, _ model: JSONNode, _ configuration: String?
  ) throws(TextError) -> SubwordReader {
    SubwordReader(top: top, model: model, configuration: try settings(configuration))
  }

  private static func settings(_ path: String?) throws(TextError) -> JSONNode? {
    try path.map { path throws(TextError) in try JSONNode(contentsOf: path) }
  }

  /// Throws unless a type is among those supported.
  static func expect(_ type: JSONNode, among supported: [String]) throws(TextError) {
    let name = try type.string()
    if !supported.contains(name) {
      throw .unsupported(path: type.path, key: type.key, type: name, supported: supported)
    }
  }
}
