/// How the fields of a row become one text, with places for virtual tokens and for a mask:
/// `{prompt:3} {text} {prompt:3} It was {mask}.`
public struct TextTemplate: Equatable, Sendable {
  /// One part of a template.
  public enum Part: Equatable, Sendable {
    /// Words of its own.
    case literal(String)
    /// A field of the row.
    case field(String)
    /// The tokenizer's mask token.
    case mask
    /// The tokenizer's separator token.
    case separator
    /// So many virtual tokens of the adapter; nil for all it has.
    case virtual(Int?)
  }

  /// As it was written.
  public let source: String
  /// Its parts, the blanks around virtual tokens settled: no blank occurs twice because a place is between, and a
  /// blank beside a place stands behind it, where a byte-pair encoding joins it to the next word.
  let parts: [Part]

  /// The fields it asks for, `text` and `text_pair` first: their places are their numbers in an ``Encoding``.
  public let fields: [String]

  /// Whether it has a mask.
  public var hasMask: Bool { parts.contains(.mask) }
  /// Whether it has a separator.
  public var hasSeparator: Bool { parts.contains(.separator) }

  /// How many virtual tokens it has places for; 0 without any, nil if it takes all that there are.
  public var virtualTokens: Int? {
    var count = 0
    for case .virtual(let part) in parts {
      guard let part else { return nil }
      count += part
    }
    return count
  }

  /// Whether the row has to have this field.
  public func asks(for field: String) -> Bool { parts.contains(.field(field)) }

  /// Reads a template.
  ///
  /// - Throws: ``TemplateError`` with the place of what is wrong.
  public init(_ source: String) throws(TemplateError) {
    var parser = TemplateParser(source)
    let parts = try parser.parts()
    self.source = source
    self.parts = Self.settled(parts)
    var fields = ["text", "text_pair"]
    for case .field(let name) in parts where !fields.contains(name) { fields.append(name) }
    self.fields = fields
  }

  /// Two templates that are written alike.
  public static func == (left: TextTemplate, right: TextTemplate) -> Bool { left.source == right.source }

  /// Moves the blank in front of a place behind it, or drops it where one stands there already.
  private static func settled(_ parts: [Part]) -> [Part] {
    var result: [Part] = []
    var blanks = ""
    for part in parts {
      if case .virtual = part {
        if case .literal(let text)? = result.last {
          let kept = text.trimmingBlanksAtEnd
          blanks = String(text[kept.endIndex...])
          result.removeLast()
          if !kept.isEmpty { result.append(.literal(String(kept))) }
        }
        result.append(part)
        continue
      }
      var text = if case .literal(let text) = part { text } else { "" }
      if case .virtual? = result.last {
        // Where only places have come so far there is no word that a blank could part from the next.
        if result.allSatisfy(\.isVirtual) {
          text = String(text.drop(while: \.isBlank))
        } else if text.first?.isBlank != true {
          text = blanks + text
        }
        blanks = ""
      }
      if !text.isEmpty { result.append(.literal(text)) }
      if case .literal = part {} else { result.append(part) }
    }
    return result
  }
}

extension TextTemplate.Part {
  fileprivate var isVirtual: Bool { if case .virtual = self { true } else { false } }
}

extension Character {
  fileprivate var isBlank: Bool { self == " " || self == "\t" || self == "\n" }
}

extension String {
  /// Without the blanks at its end.
  var trimmingBlanksAtEnd: Substring {
    var text = self[...]
    while text.last?.isBlank == true { text.removeLast() }
    return text
  }
}

/// What is wrong with a template, or with a row that is put into it.
public struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong.
  public let reason: String
  /// The character of the template where it is, from 1; nil for a row.
  public let column: Int?

  /// The place and the problem, in one line.
  public var description: String { column.map { "character \($0): \(reason)" } ?? reason }
}
