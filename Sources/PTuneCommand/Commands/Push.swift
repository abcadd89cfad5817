import ArgumentParser
import PTuneFormats
import PTuneHub
import PTuneLibc

/// `ptune push`: puts an adapter on the hub.
struct Push: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Upload an adapter folder to the Hugging Face hub.",
    discussion: """
      The repository is created if it does not exist. The adapter's files are uploaded as one commit: \
      adapter_config.json, adapter_model.safetensors, and ptune.json and README.md if the folder has them. \
      `ptune export` writes a folder that PEFT loads, too. The token needs permission to write; it comes from \
      HF_TOKEN, from the file that `hf auth login` wrote, or from --token-file.

      Examples:
        ptune push runs/reviews/adapter owner/film-reviews --private
      """)

  @Argument(help: ArgumentHelp("The adapter folder that ptune or PEFT wrote.", valueName: "adapter"))
  var folder: String

  @Argument(help: ArgumentHelp("OWNER/NAME, with @BRANCH for a branch other than main.", valueName: "repo"))
  var repository: String

  @Option(parsing: .unconditional, help: ArgumentHelp("The first line of the commit.", valueName: "text"))
  var message = "Upload adapter"

  @Flag(name: .customLong("private"), help: "Make a new repository private.")
  var isPrivate = false

  @Flag(help: "Propose the commit to the repository's owner as a pull request.")
  var createPr = false

  @Option(help: ArgumentHelp("A file that contains the token, instead of HF_TOKEN.", valueName: "file"))
  var tokenFile: String?

  @Flag(name: .shortAndLong, help: "Print only the address.")
  var quiet = false

  @Flag(help: "Print one JSON document; everything else goes to standard error.")
  var json = false

  func validate() throws {
    guard let name = HubName(repository), name.repository.contains("/") else {
      throw ValidationError("'\(repository)' is not OWNER/NAME[@BRANCH]")
    }
    guard !message.isEmpty, !message.utf8.contains(0x0A) else {
      throw ValidationError("--message has to be one line")
    }
  }

  /// The path by which an adapter names its base model; nil for a name of the hub, and for what is no adapter.
  private static func localBase(of folder: String) throws -> String? {
    let file = FilePath.join(folder, "adapter_config.json")
    guard FileSystem.isFile(file), !FileSystem.isLink(file) else { return nil }
    let path = try JSONValue.read(file)["base_model_name_or_path"]?.stringValue
    return path.flatMap { $0.hasPrefix("/") || $0.hasPrefix("~") || $0.hasPrefix(".") ? $0 : nil }
  }

  func run() throws {
    guard let name = HubName(repository) else { return }
    Interruption.handle()
    var settings = try HubSettings(environment: Output.environment)
    if let tokenFile { try settings.takeToken(file: tokenFile) }
    if let path = try Self.localBase(of: folder) {
      Output.warning(
        "\(folder) names its base model by a path of this machine, '\(path)', which everybody will see and nobody can use; "
          + "'ptune export \(folder) --base-model OWNER/NAME --output FOLDER' writes one that names the hub's"
      )
    }
    let view = HubView(Console(STDERR_FILENO), verb: "sending", isQuiet: quiet)
    let hub = try Hub(settings, isInterrupted: { Interruption.isRequested }, report: view.show)
    let commit: Hub.Commit
    do {
      defer { view.end() }
      commit = try hub.push(
        folder, to: name, message: message, isPrivate: isPrivate, asPullRequest: createPr)
    }
    guard json else { return Output.print(commit.page) }
    Output.json([
      "repository": .string(name.repository), "page": .string(commit.page),
      "commit": commit.commit.map { .string($0) } ?? .null, "created": .bool(commit.isNew),
      "files": .array(commit.files.map { .string($0) }),
    ])
  }
}
