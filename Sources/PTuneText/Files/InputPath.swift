/// Where the rows of a command come from: a file, or standard input, which `-` stands for.
public enum InputPath {
  /// The name that stands for standard input.
  public static let standardInput = "-"

  /// A path as messages show it.
  public static func shown(_ path: String) -> String { path == standardInput ? "standard input" : path }
}
