import ArgumentParser
import PTuneFormats
import PTuneLibc
import PTuneText

/// `ptune tokenize`: the token ids of texts, as a model's tokenizer gives them.
struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the token ids of texts.",
    discussion: """
      Each --text, or each line of a file, gives a list of ids as JSON.

      Examples:
        ptune tokenize --model google-bert/bert-base-uncased --text "A joy." --tokens
        ptune tokenize --model model/tokenizer.json --input lines.txt --output ids.txt
      """)

  @Option(
    help: ArgumentHelp("A model's folder, its name, a tokenizer.json, or a GGUF file.", valueName: "model"))
  var model: String

  @Option(
    parsing: .unconditionalSingleValue, help: ArgumentHelp("This text; may be repeated.", valueName: "text"))
  var text: [String] = []

  @Option(help: ArgumentHelp("The lines of this file.", valueName: "file"))
  var input: String?

  @Option(
    help: ArgumentHelp("Write here instead of to standard output, which - names as well.", valueName: "file"))
  var output: String?

  @Flag(help: "Add the special tokens that the model expects around each text.")
  var special = false

  @Flag(help: "Print the tokens instead of their ids.")
  var tokens = false

  @Flag(
    help: "Print one JSON document with the number of texts and tokens, and the seconds that tokenizing took."
  )
  var json = false

  @OptionGroup var hub: HubOptions

  func validate() throws {
    guard text.isEmpty != (input == nil) else { throw ValidationError("Give either --text or --input") }
  }

  func run() throws {
    let read = [input, model].compactMap { $0 }
    if let output, output != "-" { try AtomicFile.check(output: output, reading: read) }
    let tokenizer = try load()
    let texts = try input.map { try Self.lines(of: $0) } ?? text
    let clock = ContinuousClock()
    let start = clock.now
    // NB: all at once, so that the time is that of cutting alone.
    let ids = try texts.map { text -> [Int32] in
      special ? try tokenizer.encode(text).ids : tokenizer.pieces(text).map(\.id)
    }
    let seconds = (clock.now - start) / .seconds(1)
    let lines = ids.map { ids in
      tokens
        ? JSONValue.array(ids.map { .string(tokenizer.token($0) ?? "") }).text(.line)
        : "[\(ids.map(String.init).joined(separator: ", "))]"
    }
    if let output, output != "-" {
      try AtomicFile.write(lines.map { $0 + "\n" }.joined(), output: output, reading: read)
    } else if !json {
      Output.data(lines.map { $0 + "\n" }.joined())
    }
    guard json else { return }
    Output.json([
      "texts": .int(texts.count), "tokens": .int(ids.reduce(0) { $0 + $1.count }),
      "seconds": .double(seconds),
    ])
  }

  private func load() throws -> any Tokenizer {
    if model.hasSuffix(".json"), FileSystem.isFile(model) {
      return try TokenizerLoader.load(tokenizerJSON: model)
    }
    // A folder with a tokenizer alone will do.
    let resolver = try hub.resolver()
    if let path = resolver.path(model, relativeTo: "."), FileSystem.isFolder(path) || FileSystem.isFile(path)
    {
      return try TokenizerLoader.load(path)
    }
    return try TokenizerLoader.load(try resolver.resolve(model).folder)
  }

  /// The lines of a file without their ends; only line feeds end lines.
  private static func lines(of path: String) throws -> [String] {
    let reader = try RowReader(path: path, format: .text)
    var lines: [String] = []
    while let row = try reader.next() { lines.append(try row.value("text")) }
    return lines
  }
}
