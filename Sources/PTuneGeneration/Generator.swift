import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneText

/// When a text ends, and how its tokens are chosen.
public struct GenerationOptions: Equatable, Sendable {
  /// How tokens are chosen.
  public var sampling = SamplingOptions()
  /// Tokens of a continuation at most.
  public var maximumTokens = 128
  /// A continuation ends in front of any of these.
  public var stops: [String] = []
  /// Texts at work at a time.
  public var batchSize = 8

  /// The most probable tokens, at most 128.
  public init() {}
}

/// A prompt and what the model went on with.
public struct GeneratedText: Equatable, Sendable {
  /// Why a continuation ended.
  public enum Finish: String, Sendable {
    /// With a token that ends a text.
    case end
    /// In front of a stop string.
    case stop
    /// It has as many tokens as it may.
    case length
    /// The base model has no more positions.
    case positions
  }

  /// What it goes on with.
  public let prompt: GenerationPrompt
  /// The continuation.
  public let text: String
  /// Its tokens, without the one that ended it; a stop string's are among them.
  public let tokens: [Int32]
  /// Why it ended.
  public let finish: Finish

  /// One line of JSON.
  public var line: String {
    var members: [(String, JSONValue)] = []
    if let id = prompt.id { members.append(("id", .string(id))) }
    if let text = prompt.text { members.append(("prompt", .string(text))) }
    members += [
      ("text", .string(text)), ("finish", .string(finish.rawValue)),
      ("prompt_tokens", .int(prompt.tokens.count)), ("tokens", .int(tokens.count)),
    ]
    if prompt.text == nil { members.append(("token_ids", .array(tokens.map { .int(Int($0)) }))) }
    return "{\(members.map { "\"\($0)\": \($1.text(.line))" }.joined(separator: ", "))}"
  }
}

/// Goes on with prompts, several at a time: a text that ends makes room for the next prompt, and what is generated for
/// a prompt does not depend on the others.
public final class Generator {
  private let source: GenerationModel
  private let options: GenerationOptions
  private let decoding: Decoding
  private var active: [Work] = []

  /// Memory and progress of one text.
  private final class Work {
    let number: Int
    let prompt: GenerationPrompt
    let text: Decoding.Text
    var sampler: TokenSampler
    var decoder: IncrementalDecoder
    var stops: StopStrings
    var tokens: [Int32] = []
    var written = ""

    init(
      _ number: Int, _ prompt: GenerationPrompt, _ text: Decoding.Text, _ options: GenerationOptions,
      _ tokenizer: any Tokenizer
    ) {
      (self.number, self.prompt, self.text) = (number, prompt, text)
      sampler = TokenSampler(options.sampling, text: number, tokens: prompt.tokens)
      decoder = IncrementalDecoder(tokenizer, after: prompt.tokens)
      stops = StopStrings(options.stops)
    }
  }

  /// A generator.
  ///
  /// - Throws: ``GenerationError/notCausal(reason:)`` for a base model that is not causal.
  public init(_ source: GenerationModel, _ options: GenerationOptions = GenerationOptions()) throws {
    (self.source, self.options) = (source, options)
    do {
      decoding = try Decoding(source.model)
    } catch let failure as EngineFailure {
      throw GenerationError.notCausal(reason: "\(failure)")
    }
  }

  /// Goes on with prompts until there are no more.
  ///
  /// - Parameters:
  ///   - next: the next prompt; nil at the end.
  ///   - isInterrupted: asked before each token.
  ///   - show: takes text as it is made, with the number of its prompt.
  ///   - take: takes the texts in the order of their prompts.
  /// - Throws: what `next` throws, once the texts before it were given to `take`; `CancellationError` if it was
  ///   interrupted; `EngineFailure`.
  public func run(
    _ next: () throws -> GenerationPrompt?, isInterrupted: () -> Bool = { false },
    show: (_ number: Int, _ text: String) -> Void = { _, _ in }, take: (GeneratedText) throws -> Void
  ) throws {
    var (count, taken) = (0, 0)
    var finished: [Int: GeneratedText] = [:]
    var end: Result<Void, any Error>?
    func settle(_ works: [Work], _ scores: [[Float]]) throws {
      for (work, scores) in zip(works, scores) {
        guard let finish = try advance(work, scores, show) else {
          active.append(work)
          continue
        }
        finished[work.number] = GeneratedText(
          prompt: work.prompt, text: work.written, tokens: work.tokens, finish: finish)
      }
      while let text = finished.removeValue(forKey: taken) {
        try take(text)
        taken += 1
      }
    }
    defer { active = [] }
    repeat {
      if isInterrupted() { throw CancellationError() }
      let running = active
      active = []
      try settle(running, decoding.extend(running.map { ($0.text, $0.tokens[$0.tokens.count - 1]) }))
      var prompts: [GenerationPrompt] = []
      while end == nil, active.count + prompts.count < options.batchSize {
        do {
          if let prompt = try next() { prompts.append(prompt) } else { end = .success(()) }
        } catch {
          end = .failure(error)
        }
      }
      let (texts, scores) = try decoding.begin(
        prompts.map { .init(tokens: $0.tokens, task: Int32(source.task), marks: $0.marks) })
      let works = zip(prompts, texts).enumerated().map { index, pair in
        Work(count + index, pair.0, pair.1, options, source.tokenizer)
      }
      count += works.count
      try settle(works, scores)
    } while !active.isEmpty || end == nil
    try end?.get()
  }

  /// Appends a token to a text; why the text ends, if it does.
  private func advance(
    _ work: Work, _ scores: [Float], _ show: (Int, String) -> Void
  ) throws -> GeneratedText.Finish? {
    func write(_ text: String) {
      guard !text.isEmpty else { return }
      work.written += text
      show(work.number, text)
    }
    /// At the end of the text: what was held back may hold a stop string yet.
    func end(_ reason: GeneratedText.Finish) -> GeneratedText.Finish {
      let (text, isStopped) = work.stops.append(work.decoder.finish())
      write(text + (isStopped ? "" : work.stops.finish()))
      return isStopped ? .stop : reason
    }
    guard options.maximumTokens > 0 else { return end(.length) }
    guard let token = work.sampler.next(scores) else {
      throw GenerationError.scores
    }
    if source.endTokens.contains(token) { return end(.end) }
    work.tokens.append(token)
    let (text, isStopped) = work.stops.append(work.decoder.append(token))
    write(text)
    if isStopped { return .stop }
    if work.tokens.count == options.maximumTokens { return end(.length) }
    return work.text.position >= source.model.facts?.positions ?? .max ? end(.positions) : nil
  }
}
