/// Why a template cannot be read or rendered.
struct JinjaError: Error, Equatable {
  /// The line of the template, from 1.
  var line: Int
  /// What is wrong; after "line N: ".
  let reason: String
  /// Whether the template itself says so, with `raise_exception`.
  var isRefusal = false

  init(_ reason: String, line: Int = 0, isRefusal: Bool = false) {
    (self.reason, self.line, self.isRefusal) = (reason, line, isRefusal)
  }
}
