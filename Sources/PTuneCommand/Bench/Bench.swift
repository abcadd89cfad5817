import ArgumentParser

/// `ptune bench`: how fast this machine computes.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how fast this machine computes.",
    discussion: """
      Examples:
        ptune bench operators --quick
        echo 'train 20' | ptune bench steps run.yaml
      """,
    subcommands: [BenchSteps.self, BenchOperators.self])
}
