import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneText

/// Where the attention of a text goes.
public struct AttentionInspection: Sendable {
  /// The tokens of the text, special ones included.
  public let tokens: [String]
  /// How much goes to virtual tokens, from the lowest layer up.
  public let layers: [PromptAttention]

  /// As `ptune inspect --json` has it.
  public var json: JSONValue {
    func numbers(_ values: [Double]) -> JSONValue { .array(values.map { .double($0) }) }
    return [
      "tokens": .array(tokens.map { .string($0) }),
      "layers": .array(
        layers.map { layer in
          [
            "layer": .int(layer.layer), "prompt": .double(layer.mean), "heads": numbers(layer.heads),
            "tokens": numbers(layer.tokens), "virtual_tokens": numbers(layer.virtualTokens),
          ]
        }),
    ]
  }
}

extension AdapterRun {
  /// Where the attention of a text goes, as a task reads it.
  ///
  /// - Parameter pair: the second text of a pair.
  /// - Throws: `TextError` or `DataError` for a text that does not fit the task; `EngineFailure`.
  public func attention(text: String, pair: String?, task: Int) throws -> AttentionInspection {
    let source = composition.source(task: task, otherTextColumn: "text")
    let laidOut = try composition.readable(
      source.row(text: text, pair: pair), task: task, path: "--text")
    let batch = composition.batch([laidOut.example(line: 1)], task: task, training: false)
    return AttentionInspection(
      tokens: laidOut.tokens.map { composition.tokenizer.token($0) ?? "#\($0)" },
      layers: try composition.model.attentionToPrompt(batch))
  }
}
