/// An error that can say what to do about it.
///
/// `description` says what went wrong and where, in one line; the command prints `help` below it.
public protocol HelpfulError: Error, CustomStringConvertible {
  /// What to do about it; nil where that goes without saying.
  var help: String? { get }
}
