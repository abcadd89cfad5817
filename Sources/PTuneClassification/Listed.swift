/// The first of many names, for messages.
public func listed(_ names: [String], limit: Int = 12) -> String {
  names.prefix(limit).joined(separator: ", ")
    + (names.count > limit ? " and \(names.count - limit) more" : "")
}

/// A text for messages: the beginning of a long one.
public func short(_ text: some StringProtocol, limit: Int = 60) -> String {
  text.count > limit ? text.prefix(limit) + "…" : String(text)
}
