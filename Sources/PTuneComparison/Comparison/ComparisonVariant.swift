import PTuneComposition
import PTuneFormats
import PTuneRunFile

/// One of the methods of a comparison: an adapter and what it is told beside what the run file says.
///
/// Written as `NAME`, `NAME:KEY=VALUE:…` or the path of a run file, whose adapter and selector are meant. A KEY is a
/// hyperparameter of the adapter, `selector`, or the path of any key of a run file: `training.learning_rate`.
public struct ComparisonVariant: Sendable {
  /// As the user wrote it.
  public let text: String
  /// Where the user wrote it.
  let place: RunPlace
  /// What is set in the run file; empty for a run file of its own.
  public let overrides: [RunOverride]
  /// The run file whose sections are taken.
  let runFile: String?

  /// Reads one method. Throws RunFileError.
  public init(_ text: String, place: RunPlace) throws(RunFileError) {
    self.text = text
    self.place = place
    if text.hasSuffix(".yaml") || text.hasSuffix(".yml") {
      overrides = []
      runFile = text
      return
    }
    runFile = nil
    let parts = text.parts(outsideQuotes: ":")
    guard let name = parts.first, !name.isEmpty else {
      throw RunFileError(place: place, problem: .path("expected an adapter, as in prefix-tuning:form=hidden"))
    }
    var overrides = [RunOverride(path: ["adapter", "plugin"], text: name, flag: place.description)]
    for part in parts.dropFirst() {
      guard let equal = part.firstIndex(of: "="), equal != part.startIndex else {
        throw RunFileError(
          place: place,
          problem: .path("'\(part)' in '\(text)' should be KEY=VALUE, as in prefix-tuning:form=hidden"))
      }
      let key = String(part[..<equal])
      let path = key == "selector" ? "selector.plugin" : key.contains(".") ? key : "adapter.\(key)"
      overrides.append(try RunOverride(set: path + part[equal...], flag: place.description))
    }
    self.overrides = overrides
  }

  /// Cuts a list of methods at its commas. Throws RunFileError.
  public static func list(_ text: String, place: RunPlace) throws(RunFileError) -> [ComparisonVariant] {
    var variants: [ComparisonVariant] = []
    for part in text.parts(outsideQuotes: ",") {
      variants.append(try ComparisonVariant(part.trimmingBlanks, place: place))
    }
    return variants
  }

  /// As tables name it: "prefix-tuning form=hidden".
  var label: String {
    guard let runFile else { return text.parts(outsideQuotes: ":").joined(separator: " ") }
    return FilePath.stem(of: runFile)
  }
}

/// Values that a comparison gives to a key of the run, each to every method that knows the key.
public struct ComparisonAxis: Sendable {
  /// The path of the key: ["adapter", "virtual_tokens"].
  public let path: [String]
  /// The values as a run file has them.
  public let values: [String]
  let place: RunPlace

  /// Reads `KEY=VALUE,VALUE,…`. Throws RunFileError.
  public init(_ text: String, place: RunPlace) throws(RunFileError) {
    self.place = place
    guard let equal = text.firstIndex(of: "=") else {
      throw RunFileError(
        place: place, problem: .path("expected KEY=VALUE,VALUE,…, as in adapter.virtual_tokens=5,20,100"))
    }
    path = text[..<equal].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    values = String(text[text.index(after: equal)...]).parts(outsideQuotes: ",").map(\.trimmingBlanks)
    guard path.count > 1, !path.contains(""), !values.contains("") else {
      throw RunFileError(
        place: place, problem: .path("expected KEY=VALUE,VALUE,…, as in adapter.virtual_tokens=5,20,100"))
    }
    guard Set(values).count == values.count else {
      throw RunFileError(place: place, problem: .conflict("'\(text)' names a value twice"))
    }
    if let reason = Self.reserved[path.joined(separator: ".")] {
      throw RunFileError(place: place, problem: .conflict(reason))
    }
  }

  private static let reserved = [
    "training.seed": "seeds are not a grid: `--seeds N` trains each method with N of them",
    "adapter.plugin": "adapters are not a grid: `--adapters` names them",
  ]

  /// As tables name it: "virtual_tokens", "training.max_steps".
  var name: String {
    (["adapter", "adapters"].contains(path[0]) ? path.dropFirst() : path[...]).joined(separator: ".")
  }
}

extension String {
  /// Cut at each separator that stands outside double quotes.
  fileprivate func parts(outsideQuotes separator: Character) -> [String] {
    var parts = [""]
    var isQuoted = false
    for character in self {
      if character == "\"" { isQuoted.toggle() }
      if character == separator, !isQuoted {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts
  }

  fileprivate var trimmingBlanks: String {
    var rest = self[...]
    while rest.first == " " { rest.removeFirst() }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}
