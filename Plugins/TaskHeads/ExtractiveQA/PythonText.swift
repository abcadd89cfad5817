// Text as Python sees it, in which the official evaluation scripts are written: by Unicode scalars.

/// `str.lower`: a capital sigma at the end of a word becomes a final one (Unicode Standard, table 3-17).
func lowercase(_ text: String) -> [Unicode.Scalar] {
  let scalars = Array(text.unicodeScalars)
  return scalars.indices.flatMap { index -> [Unicode.Scalar] in
    guard scalars[index] == "Σ" else {
      return Array(scalars[index].properties.lowercaseMapping.unicodeScalars)
    }
    let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
    let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && after?.properties.isCased != true ? ["ς"] : ["σ"]
  }
}

/// `\w` of `re`: letters, what is a number, and the underscore; marks are none.
func isWord(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
  default: scalar.properties.numericType != nil || scalar == "_"
  }
}

/// `str.isspace`: Unicode's white space and four control characters.
func isBlank(_ scalar: Unicode.Scalar) -> Bool {
  scalar.properties.isWhitespace || ("\u{1C}"..."\u{1F}").contains(scalar)
}
