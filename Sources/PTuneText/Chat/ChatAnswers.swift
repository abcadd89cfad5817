/// Text that a chat template wrote, and what the assistant says in it.
public struct AnsweredText: Equatable, Sendable {
  /// The text.
  public private(set) var text: String
  /// The bytes of the assistant's turns that are to be learnt, each with what ends it and without white space behind.
  public private(set) var answers: [Range<Int>]
}

extension ChatTemplate {
  /// A conversation as texts to learn from: each turn of the assistant in the text that the template writes of the
  /// conversation up to it. One text serves for all turns where the template leaves earlier turns as they are; one that
  /// rewrites them (that drops what the model thought, say) makes a further text from that turn on.
  ///
  /// An answer is what a row says: what the template puts in front of it by itself, a header or an empty block of
  /// thoughts, is read, not learnt.
  /// - Throws: as ``text(of:promptsAnswer:)``; `ChatError` for a turn that the template does not write.
  public func answers(in messages: [ChatMessage]) throws -> [AnsweredText] {
    var texts: [AnsweredText] = []
    for (index, message) in messages.enumerated() where message.role == "assistant" {
      let through = try text(of: Array(messages[...index]), promptsAnswer: false)
      let bytes = Array(through.utf8)
      let begin = try answerBegin(of: message, after: Array(messages[..<index]), in: bytes)
      let end = bytes.lastIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }.map { $0 + 1 } ?? 0
      guard begin < end else {
        throw ChatError(
          "has an answer in turn \(index + 1) that the chat template of \(place) does not write")
      }
      if texts.last?.isContinued(by: bytes) != true { texts.append(AnsweredText(text: through, answers: [])) }
      texts[texts.count - 1].goOn(through, answer: begin..<end)
    }
    let whole = try text(of: messages, promptsAnswer: false)
    if texts.isEmpty { return [AnsweredText(text: whole, answers: [])] }
    if texts[texts.count - 1].isContinued(by: Array(whole.utf8)) {
      texts[texts.count - 1].goOn(whole, answer: nil)
    }
    return texts
  }

  /// What the model reads before it answers, as it does where it learns from conversations: what the template puts in
  /// front of a last answer, be it more than it writes to ask for one.
  ///
  /// - Throws: as ``text(of:promptsAnswer:)``.
  public func promptAsLearnt(_ messages: [ChatMessage]) throws -> String {
    let asked = try text(of: messages, promptsAnswer: true)
    let answer = ChatMessage(role: "assistant", content: Self.sampleAnswer)
    guard let through = try? text(of: messages + [answer], promptsAnswer: false) else { return asked }
    let bytes = Array(through.utf8)
    let begin = try answerBegin(of: answer, after: messages, in: bytes)
    return begin > asked.utf8.count ? String(decoding: bytes[..<begin], as: UTF8.self) : asked
  }

  /// What stands behind an answer: "<|im_end|>\n". Empty where that cannot be told.
  public var answerEnd: String {
    let messages = [
      ChatMessage(role: "user", content: "A question?"),
      ChatMessage(role: "assistant", content: Self.sampleAnswer),
    ]
    guard let text = try? text(of: messages, promptsAnswer: false),
      let place = Array(text.utf8).lastRange(of: Self.sampleAnswer.utf8)
    else { return "" }
    return String(decoding: Array(text.utf8)[place.upperBound...], as: UTF8.self)
  }

  private static let sampleAnswer = "The answer."

  /// Where an answer begins in the text that ends with it.
  private func answerBegin(
    of message: ChatMessage, after before: [ChatMessage], in text: [UInt8]
  ) throws -> Int {
    let asked = Array(try self.text(of: before, promptsAnswer: true).utf8)
    // A template may ask for an answer otherwise than it writes one: then both have the header in common.
    let header = zip(text, asked).prefix { $0 == $1 }.count
    let isAsked = header == asked.count
    let told = isAsked ? 0 : Array(try self.text(of: before, promptsAnswer: false).utf8).count
    let begin = max(header, min(told, text.count))
    let said = (message.content ?? "").utf8.filled
    let rest = text[begin...]
    // White space in front of an answer is the model's to write.
    if said.isEmpty || isAsked && rest.drop(while: \.isWhite).starts(with: said) { return begin }
    let ended = rest.droppingLast(answerEnd.utf8).filled
    guard
      let own = ended.suffix(said.count).elementsEqual(said)
        ? ended.endIndex - said.count : rest.lastRange(of: said)?.lowerBound
    else { return begin }
    // Thoughts that the row itself has are the model's to write, too.
    let front = text[begin..<own]
    let isOwn = message.furtherTexts.contains { front.firstRange(of: $0.utf8.filled) != nil }
    return isOwn ? begin : own
  }
}

extension AnsweredText {
  /// Whether a longer text of the conversation leaves what is learnt here as it is.
  fileprivate func isContinued(by longer: [UInt8]) -> Bool {
    longer.starts(with: text.utf8.prefix(answers.last?.upperBound ?? 0))
  }

  fileprivate mutating func goOn(_ longer: String, answer: Range<Int>?) {
    text = longer
    if let answer { answers.append(answer) }
  }
}

extension ChatMessage {
  /// What it says beside its content: `reasoning_content` and the like.
  fileprivate var furtherTexts: [String] {
    zip(members.keys, members.values).compactMap { key, value in
      guard key != "role", key != "content", let text = value.stringValue, !text.utf8.filled.isEmpty else {
        return nil
      }
      return text
    }
  }
}

extension UInt8 {
  fileprivate var isWhite: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}

extension BidirectionalCollection<UInt8> {
  /// Without white space at both ends.
  fileprivate var filled: SubSequence {
    let rest = drop(while: \.isWhite)
    guard let last = rest.lastIndex(where: { !$0.isWhite }) else { return rest.prefix(0) }
    return rest[...last]
  }

  /// The last place of a part.
  fileprivate func lastRange(of part: some BidirectionalCollection<UInt8>) -> Range<Index>? {
    let reversed = Array(part.reversed())
    guard let range = Array(self.reversed()).firstRange(of: reversed) else { return nil }
    let end = index(endIndex, offsetBy: -range.lowerBound)
    return index(end, offsetBy: -reversed.count)..<end
  }
}

extension ArraySlice<UInt8> {
  /// Without these bytes at its end, if it ends with them.
  fileprivate func droppingLast(_ end: some BidirectionalCollection<UInt8>) -> ArraySlice<UInt8> {
    suffix(end.count).elementsEqual(end) ? dropLast(end.count) : self
  }
}
