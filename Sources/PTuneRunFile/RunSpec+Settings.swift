extension RunSpec {
  /// The values of a run file by their keys, "tasks.tone.data.train"; elements of lists by their names, lists of scalars as
  /// one value. For comparing what ``yaml()`` wrote.
  ///
  /// - Parameter file: its path, for messages.
  /// - Throws: ``RunFileError`` for what is no YAML.
  package static func settings(_ text: String, file: String) throws(RunFileError) -> [String: String] {
    try RunNode.parse(text, file: file).settings
  }
}

extension RunNode {
  /// The values by their keys, "tasks.tone.data.train"; elements of lists by their names, lists of scalars as one value.
  fileprivate var settings: [String: String] {
    var settings: [String: String] = [:]
    collect(into: &settings, at: "")
    return settings
  }

  private func collect(into settings: inout [String: String], at place: String) {
    func key(_ part: String) -> String { place.isEmpty ? part : "\(place).\(part)" }
    switch content {
    case .scalar(let text, _): settings[place] = text
    case .mapping(let members):
      for member in members { member.value.collect(into: &settings, at: key(member.key)) }
    case .list(let elements):
      let isFlat = elements.allSatisfy { if case .scalar = $0.content { true } else { false } }
      if isFlat {
        settings[place] = "[\(elements.map(\.text).joined(separator: ", "))]"
      } else {
        for (index, element) in elements.enumerated() {
          element.collect(into: &settings, at: key(element.name ?? "\(index)"))
        }
      }
    }
  }
}
