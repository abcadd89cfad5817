import PTuneFormats

/// Data that tests make up.
package enum SampleRows {
  /// Sentences in words of the fixtures' vocabularies; each row has a label for every kind of head.
  package static func ofEveryHead(_ count: Int) -> String {
    let subjects = ["film", "movie", "story", "plot"]
    let lines = (0..<count).map { row in
      let (subject, isGood) = (subjects[row / 2 % subjects.count], row % 2 == 0)
      let word = isGood ? "good" : "bad"
      let context = "the \(subject) was \(word)"
      let object: JSONValue = [
        "text": .string(context), "tone": .string(isGood ? "positive" : "negative"),
        "tones": .array(isGood ? ["positive", "long"] : row < 4 ? [] : ["long"]),
        "tags": ["O", "B-WORK", "O", .string(isGood ? "O" : "B-TONE")], "score": .double(isGood ? 1 : -0.5),
        "question": .string("how was it"), "context": .string(context),
        "answers": ["text": [.string(word)], "answer_start": [.int(context.count - word.count)]],
        "choices": row % 3 == 0 ? ["good", "bad"] : ["bad", "good"], "choice": .int(row % 3 == 0 ? 0 : 1),
      ]
      return object.text(.line)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
