import ArgumentParser

/// `ptune bench`: how fast this machine computes.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how fast this machine computes.",
    subcommands: [BenchSteps.self, BenchOperators.self])
}
