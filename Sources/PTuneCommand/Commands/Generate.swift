import ArgumentParser
import CPTune
import PTuneAdapters
import PTuneGeneration
import PTuneLibc
import PTuneText

/// `ptune generate`: what a causal model, with an adapter or without, goes on with.
struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Continue prompts, with a trained adapter or with a base model alone.",
    discussion: """
      One --prompt gives plain text, on a terminal while it is generated. Several prompts, and those of a file, \
      give a line of JSON each, in their order. Rows of a file have a column `prompt`, the text column of the \
      adapter's training, `text`, or `input_ids`: a JSON list of token ids. A column `id` is copied to the \
      output.

      Without sampling options, each token is the most probable one. --top-k, --top-p and --min-p sample, at a \
      temperature of 1 unless --temperature sets another. The same seed gives the same text for the prompt with \
      the same number, whatever the batch size.

      Examples:
        ptune generate --adapter runs/stories/adapter --prompt "Once upon a time"
        ptune generate --model gpt2 --prompt "Once upon a time" --temperature 0.8 --top-p 0.95 --seed 1
        ptune generate --model HuggingFaceTB/SmolLM2-135M-Instruct --chat --prompt "Who are you?"
        ptune generate --adapter runs/stories/adapter --input prompts.jsonl >texts.jsonl
      """)

  @Option(
    help: ArgumentHelp("The adapter folder that `ptune train` wrote.", valueName: "folder"),
    completion: .adapterFolder)
  var adapter: String?

  @Option(
    help: ArgumentHelp(
      "A base model without an adapter: a folder, or a name on the Hugging Face hub.", valueName: "model"))
  var model: String?

  @OptionGroup var base: BaseModelOptions

  @Option(help: ArgumentHelp("The task, if the adapter has several.", valueName: "name"))
  var task: String?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Continue this text; may be repeated.", valueName: "text"))
  var prompt: [String] = []

  @Option(help: ArgumentHelp("Continue the rows of this file; - is standard input.", valueName: "file"))
  var input: String?

  @Option(
    help: ArgumentHelp(
      "text (one prompt per line), jsonl, tsv or csv; by default according to the file's name, or else text.",
      valueName: "format"))
  var format: DataFormat?

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp(
      "Treat prompts as a user's turns, and render them with the model's chat template; the default for an adapter that "
        + "was trained on conversations."))
  var chat: Bool?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("With --chat, the system message.", valueName: "text"))
  var system: String?

  @Option(
    help: ArgumentHelp(
      "With --chat, a format (\(ChatTemplates.formats.joined(separator: ", "))) or a Jinja file instead of the model's.",
      valueName: "template"))
  var chatTemplate: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The most tokens of a continuation.", valueName: "n"))
  var maxNewTokens = GenerationOptions().maximumTokens

  @OptionGroup var sampling: SamplingFlags

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("End before this text; may be repeated.", valueName: "text"))
  var stop: [String] = []

  @Flag(help: "Write plain text while it is generated, one prompt after another.")
  var stream = false

  @Flag(help: "Write JSON lines also for a single prompt.")
  var json = false

  @Option(
    help: ArgumentHelp("Switch off this one of several adapters; may be repeated.", valueName: "name"))
  var without: [String] = []

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Texts that are processed at a time.", valueName: "n"))
  var batchSize = GenerationOptions().batchSize

  @OptionGroup var compute: ComputeOptions

  @OptionGroup var hub: HubOptions

  @OptionGroup var plugins: PluginOptions

  func validate() throws {
    func require(_ holds: Bool, _ message: String) throws {
      guard holds else { throw ValidationError(message) }
    }
    try require((adapter == nil) != (model == nil), "Give either --adapter or --model")
    try require(
      adapter != nil || (base.baseModel == nil && task == nil && without.isEmpty),
      "--base-model, --task and --without need --adapter")
    try require(prompt.isEmpty != (input == nil), "Give either --prompt or --input")
    try require(format == nil || input != nil, "--format needs --input")
    try require(format != .conll && format != .squad, "--format has to be text, jsonl, tsv or csv")
    try require(!(stream && json), "Give either --stream or --json")
    try require(
      chat == true || (system == nil && chatTemplate == nil), "--system and --chat-template need --chat")
    try require((1...1_000_000).contains(maxNewTokens), "--max-new-tokens has to be within 1 and 1000000")
    try require((1...1_048_576).contains(batchSize), "--batch-size has to be within 1 and 1048576")
    try require(!stop.contains(""), "--stop must not be empty")
  }

  func run() throws {
    // While it waits for standard input, there is nothing to bring to an end first.
    if input != InputPath.standardInput { Interruption.handle() }
    let source = try load()
    switch chat {
    case true?: try source.converse(system: system, template: chatTemplate)
    case false?: source.goOnPlainly()
    case nil:
      if let place = try source.conversationTemplate {
        Output.message(
          "prompts are a user's turns in the chat template of \(place), as in training (--no-chat: as they are)"
        )
      }
    }
    let isPlain = stream || (!json && input == nil && prompt.count == 1)
    let isLive = stream || (isPlain && isatty(STDOUT_FILENO) == 1)
    var options = GenerationOptions()
    options.sampling = sampling.options
    options.maximumTokens = maxNewTokens
    options.stops = stop
    options.batchSize = isPlain ? 1 : batchSize
    let generator = try Generator(source, options)
    var isWithinLine = false
    do {
      try generator.run(
        try prompts(source), isInterrupted: { Interruption.isRequested },
        show: { _, text in
          guard isLive else { return }
          Output.generated(text)
          isWithinLine = true
        },
        take: { text in
          if isPlain {
            Output.generated((isLive ? "" : text.text) + "\n")
          } else {
            Output.data(text.line + "\n")
          }
          isWithinLine = false
        })
    } catch {
      if isWithinLine { Output.print() }
      throw error
    }
  }

  private func load() throws -> GenerationModel {
    func log(_ level: Int32, _ message: String) {
      if level >= Int32(PTUNE_LOG_WARNING) { Output.warning(message) }
    }
    if let model {
      return try GenerationModel(
        baseModel: model, threads: compute.threads, compute: compute.compute,
        registry: try plugins.registry(),
        resolver: hub.resolver(), log: log)
    }
    let run = try AdapterRun(
      adapter ?? "", baseModel: base.baseModel, without: without, threads: compute.threads,
      compute: compute.compute, registry: try plugins.registry(), resolver: hub.resolver(), log: log)
    return try GenerationModel(run, task: run.task(named: task))
  }

  private func prompts(_ source: GenerationModel) throws -> () throws -> GenerationPrompt? {
    if let input { return try source.prompts(of: input, format: format) }
    var rest = prompt.enumerated().makeIterator()
    return {
      try rest.next().map {
        try source.prompt($0.element, place: prompt.count == 1 ? "--prompt" : "--prompt \($0.offset + 1)")
      }
    }
  }
}

/// How tokens are chosen.
struct SamplingFlags: ParsableArguments {
  // NB: unconditional, so that a negative number is found to be out of range rather than missing.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Divide scores by this and sample; 0 selects the most probable token.", valueName: "t")
  )
  var temperature: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Sample from the k most probable tokens.", valueName: "k"))
  var topK: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Sample from the fewest tokens that together have this probability.", valueName: "p"))
  var topP: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Sample from tokens with at least this share of the most probable one's probability.", valueName: "p"))
  var minP: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Above 1, make tokens that already occur less probable; 1 changes nothing.", valueName: "r"))
  var repetitionPenalty = 1.0

  @Option(parsing: .unconditional, help: ArgumentHelp("The seed of random numbers.", valueName: "n"))
  var seed: UInt64 = 0

  func validate() throws {
    func require(_ holds: Bool, _ message: String) throws {
      guard holds else { throw ValidationError(message) }
    }
    try require((temperature ?? 1) >= 0 && (temperature ?? 1).isFinite, "--temperature has to be at least 0")
    try require((topK ?? 1) >= 1, "--top-k has to be at least 1")
    try require((topP ?? 1) > 0 && (topP ?? 1) <= 1, "--top-p has to be above 0 and at most 1")
    try require((0...1).contains(minP ?? 0), "--min-p has to be within 0 and 1")
    try require(
      repetitionPenalty > 0 && repetitionPenalty.isFinite, "--repetition-penalty has to be above 0")
    try require(
      temperature != 0 || !draws, "--top-k, --top-p and --min-p sample tokens; --temperature 0 does not")
  }

  private var draws: Bool { topK != nil || topP != nil || minP != nil }

  /// What they say.
  var options: SamplingOptions {
    var options = SamplingOptions()
    options.temperature = temperature ?? (draws ? 1 : 0)
    options.topK = topK ?? 0
    options.topP = topP ?? 1
    options.minP = minP ?? 0
    options.repetitionPenalty = repetitionPenalty
    options.seed = seed
    return options
  }
}
