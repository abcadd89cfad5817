extension TextTemplate {
  /// The template with virtual tokens, mask and separator as text, and `{NAME}` where a field stands.
  ///
  /// - Parameter virtualTokens: the texts of all virtual tokens.
  public func written(virtualTokens: [String], mask: String, separator: String) -> String {
    var rest = virtualTokens[...]
    return parts.reduce(into: "") { text, part in
      switch part {
      case .literal(let words): text += words
      case .field(let name): text += "{\(name)}"
      case .mask: text += mask
      case .separator: text += separator
      case .virtual(let count):
        text += rest.prefix(count ?? rest.count).joined()
        rest = rest.dropFirst(count ?? rest.count)
      }
    }
  }
}
