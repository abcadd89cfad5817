/// A piece of a document: well-formed both as HTML and as XML.
///
/// Text gets in through ``init(_:)`` or as an attribute's value, and both escape it, so nothing that comes from data can
/// be taken for markup.
public struct Markup: Equatable, Sendable {
  /// The piece as it stands in the document.
  public private(set) var source: String

  private init(source: String) { self.source = source }

  /// Nothing.
  static let none = Markup(source: "")

  /// A text.
  init(_ text: String) { source = Self.escaped(text) }

  /// A text of foreign origin, whose direction of writing stays within it.
  static func data(_ text: String) -> Markup { Markup("bdi", [Markup(text)]) }

  /// An element.
  ///
  /// - Parameters:
  ///   - attributes: names and values, in this order; one without a value is left out.
  ///   - content: what it holds.
  init(_ name: String, _ attributes: KeyValuePairs<String, String?> = [:], _ content: [Markup] = []) {
    var text = "<\(name)"
    for case (let key, let value?) in attributes { text += " \(key)=\"\(Self.escaped(value))\"" }
    if content.isEmpty, Self.isVoid(name) {
      source = text + "/>"
    } else {
      source = text + ">" + content.lazy.map(\.source).joined() + "</\(name)>"
    }
  }

  /// An element without attributes.
  init(_ name: String, _ content: [Markup]) { self.init(name, [:], content) }

  /// An element with a text in it.
  init(_ name: String, _ attributes: KeyValuePairs<String, String?> = [:], text: String) {
    self.init(name, attributes, [Markup(text)])
  }

  /// A style sheet; it is our own and holds no character that would have to be escaped.
  static func style(_ rules: String) -> Markup { Markup(source: "<style>\(rules)</style>") }

  /// Several pieces one after the other.
  static func list(_ pieces: [Markup]) -> Markup { Markup(source: pieces.lazy.map(\.source).joined()) }

  /// A whole document.
  static func document(_ root: Markup) -> Markup { Markup(source: "<!DOCTYPE html>\n" + root.source + "\n") }

  var isEmpty: Bool { source.isEmpty }

  /// Elements that HTML closes by themselves, and shapes of SVG.
  private static func isVoid(_ name: String) -> Bool {
    ["meta", "br", "col", "line", "rect", "circle", "path", "polyline", "use"].contains(name)
  }

  /// What a browser shows as the text itself. Characters that turn the direction of writing, or that no document may
  /// hold, are shown by their code.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case "\r": break
      case "\u{0}"..<" ", "\u{7F}"..."\u{9F}", "\u{61C}", "\u{200E}", "\u{200F}", "\u{202A}"..."\u{202E}",
        "\u{2066}"..."\u{2069}", "\u{FFFE}", "\u{FFFF}":
        result += "[U+\(String(scalar.value, radix: 16, uppercase: true))]"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
