import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneGeneration

/// What a causal model goes on with after the first held-out texts of a task.
struct TextSample {
  let prompt: String
  /// What the model made of it.
  let text: String
  /// What stands in the data.
  let expected: String
  let finish: GeneratedText.Finish

  var json: JSONValue {
    [
      "prompt": .string(prompt), "text": .string(text), "expected": .string(expected),
      "finish": .string(finish.rawValue),
    ]
  }

  /// Tokens of a sample at most.
  static let length = 48

  /// Samples for the first examples whose prompts fit.
  ///
  /// - Throws: `EngineFailure`; what is wrong with the model's files.
  static func all(
    _ examples: [EncodedExample], _ composition: Composition, task: Int, limit: Int
  ) throws -> [TextSample] {
    guard limit > 0, composition.reading(task: task) == .continuedText else { return [] }
    let model = try GenerationModel(composition, task: task)
    var pairs: [(prompt: GenerationPrompt, expected: String)] = []
    for example in examples.prefix(8 * limit) where pairs.count < limit {
      guard let (text, expected) = example.row.flatMap({ parts($0.fields) }),
        let prompt = try? model.prompt(text, place: "")
      else { continue }
      pairs.append((prompt, expected))
    }
    var options = GenerationOptions()
    options.maximumTokens = length
    var rest = pairs.map(\.prompt).makeIterator()
    var samples: [TextSample] = []
    try Generator(model, options).run({ rest.next() }) { made in
      let pair = pairs[samples.count]
      samples.append(
        TextSample(
          prompt: pair.prompt.text ?? "", text: made.text, expected: pair.expected, finish: made.finish))
    }
    return samples
  }

  /// A prompt and its completion; of a text without one the first third of its words and the rest.
  private static func parts(_ fields: [String: String]) -> (String, String)? {
    guard let text = fields["text"], !text.isEmpty else { return nil }
    if let completion = fields["text_pair"] { return (text, completion) }
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count >= 3 else { return nil }
    let end = words[(words.count + 2) / 3 - 1].endIndex
    return (String(text[..<end]), String(text[end...]))
  }
}
