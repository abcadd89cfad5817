import PTuneText

/// How a prompt becomes a conversation.
struct ChatPrompts {
  /// What the system says first.
  let system: String?
  /// The name of a format or a file.
  let template: String?

  /// A prompt as the user's turn.
  func turns(_ prompt: String) -> [ChatMessage] { turns([ChatMessage(role: "user", content: prompt)]) }

  /// A conversation, with the system's turn in front if it has none.
  func turns(_ turns: [ChatMessage]) -> [ChatMessage] {
    guard let system, turns.first?.role != "system" else { return turns.asked }
    return [ChatMessage(role: "system", content: system)] + turns.asked
  }
}

extension [ChatMessage] {
  /// Up to the last turn that the model is to answer: data often has the answer too.
  var asked: [ChatMessage] { last?.role == "assistant" ? dropLast() : self }
}
