/// A text in lines of at most so many cells of a terminal: broken at blanks, and within a word that is longer than a line,
/// behind a slash or a dot if there is one.
public func wrappedLines(_ text: String, width: Int) -> [String] {
  guard width > 0, displayWidth(text) > width else { return [text] }
  var lines: [String] = []
  var line = ""
  func end() {
    if !line.isEmpty { lines.append(line) }
    line = ""
  }
  for word in text.split(separator: " ") {
    if !line.isEmpty, displayWidth(line) + 1 + displayWidth(String(word)) <= width {
      line += " " + word
      continue
    }
    end()
    var pieces = word[...]
    while displayWidth(String(pieces)) > width {
      let head = fitting(pieces, width: width)
      lines.append(String(head))
      pieces = pieces[head.endIndex...]
    }
    line = String(pieces)
  }
  end()
  return lines
}

/// The parts of a word, each but the last with the slash or the dot at its end.
func unbreakableParts(_ word: String) -> [String] {
  var parts = [""]
  for character in word {
    parts[parts.count - 1].append(character)
    if breaksBehind(character) { parts.append("") }
  }
  return parts
}

private func breaksBehind(_ character: Character) -> Bool { character == "/" || character == "." }

/// The longest beginning that fits, up to its last slash or dot if it has one beyond its first character.
private func fitting(_ word: Substring, width: Int) -> Substring {
  var (end, taken) = (word.startIndex, 0)
  while end < word.endIndex {
    taken += displayWidth(String(word[end]))
    // At least a character, however wide.
    guard taken <= width || end == word.startIndex else { break }
    end = word.index(after: end)
  }
  let head = word[..<end]
  guard let last = head.lastIndex(where: breaksBehind), last > head.startIndex else { return head }
  return head[...last]
}
