/// A parser of data from outside, with inputs to begin from.
public struct FuzzTarget: Sendable {
  /// The name by which `ptune-fuzz` knows it.
  public let name: String
  /// Well-formed inputs, from the fixtures of the tests.
  public let seeds: @Sendable () throws -> [[UInt8]]
  /// Reads an input, and checks what it has read; a refusal is no failure, so nothing is thrown.
  private let body: @Sendable (_ input: [UInt8], _ scratch: Scratch) throws -> Void

  /// A target.
  ///
  /// - Parameter body: throws what the parser throws, and traps where the parser accepts nonsense.
  init(
    _ name: String, seeds: @escaping @Sendable () throws -> [[UInt8]],
    body: @escaping @Sendable (_ input: [UInt8], _ scratch: Scratch) throws -> Void
  ) {
    self.name = name
    self.seeds = seeds
    self.body = body
  }

  /// Reads an input.
  ///
  /// - Parameter scratch: where it may write files; no other call may use it at the same time.
  /// - Returns: the text of the parser's refusal; nil for an input that it took.
  @discardableResult
  public func run(_ input: [UInt8], _ scratch: Scratch) -> String? {
    do {
      try body(input, scratch)
      return nil
    } catch {
      // What users would see: making it must not fail either.
      return "\(error)"
    }
  }

  /// All targets.
  public static let all =
    formats + texts + [.tokenizer, .vocabulary, .template] + plugins + [.runFile, .lock, .adapter]

  /// The target of a name.
  public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}
