import ArgumentParser
import PTuneFormats
import PTuneHub
import PTuneLibc

/// `ptune pull`: fetches a model or an adapter from the hub into the cache.
struct Pull: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fetch a model or an adapter from the Hugging Face hub.",
    discussion: """
      Only the files that ptune reads are fetched, into the Hugging Face cache, where transformers finds them too. An \
      interrupted download resumes. The folder is printed. HF_ENDPOINT, HF_HOME, HF_HUB_CACHE and HF_TOKEN are \
      read.

      Examples:
        ptune pull google-bert/bert-base-uncased
        ptune pull owner/model-GGUF@main --file model.Q4_K_M.gguf
      """)

  @Argument(
    help: ArgumentHelp("OWNER/NAME, with @REVISION for a branch, a tag or a commit.", valueName: "repo"))
  var repository: String

  @Option(help: ArgumentHelp("This GGUF file of the repository.", valueName: "name"))
  var file: String?

  @Option(help: ArgumentHelp("A file that contains the token, instead of HF_TOKEN.", valueName: "file"))
  var tokenFile: String?

  @Flag(name: .shortAndLong, help: "Print only the folder.")
  var quiet = false

  @Flag(help: "Print one JSON document; everything else goes to standard error.")
  var json = false

  func validate() throws {
    guard HubName(repository) != nil else {
      throw ValidationError("'\(repository)' is not OWNER/NAME[@REVISION]")
    }
    guard file.map(ModelResolver.isGGUF) ?? true else { throw ValidationError("--file is for .gguf files") }
  }

  func run() throws {
    guard let name = HubName(repository) else { return }
    Interruption.handle()
    var settings = try HubSettings(environment: Output.environment)
    if let tokenFile { try settings.takeToken(file: tokenFile) }
    let view = HubView(Console(STDERR_FILENO), verb: "fetching", folder: settings.cache, isQuiet: quiet)
    let hub = try Hub(settings, isInterrupted: { Interruption.isRequested }, report: view.show)
    let snapshot: Hub.Snapshot
    do {
      defer { view.end() }
      snapshot = try hub.pull(name, .any, ggufFile: file)
    } catch is CancellationError {
      Output.message("interrupted; the same command resumes")
      throw CancellationError()
    }
    guard json else { return Output.print(snapshot.folder) }
    Output.json([
      "repository": .string(name.repository), "commit": .string(snapshot.commit),
      "folder": .string(snapshot.folder), "files": .array(snapshot.files.map { .string($0) }),
    ])
  }
}
