/// Why a template cannot be read or rendered.
package struct JinjaError: Error, Equatable {
  /// The line of the template, from 1.
  package internal(set) var line: Int
  /// What is wrong; after "line N: ".
  package let reason: String
  /// Whether the template itself says so, with `raise_exception`.
  package private(set) var isRefusal = false

  init(_ reason: String, line: Int = 0, isRefusal: Bool = false) {
    (self.reason, self.line, self.isRefusal) = (reason, line, isRefusal)
  }
}
