import PTuneComposition

/// What a run file's section `compare` asks for.
public struct CompareSpec: Equatable, Sendable {
  /// The methods.
  public var adapters: [Located<String>]
  /// How many seeds each is trained with, counted up from the run's.
  public var seeds: Int?
  /// Keys and their values.
  public var grid: [Located<String>]
}
