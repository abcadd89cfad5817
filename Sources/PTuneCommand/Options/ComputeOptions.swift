import ArgumentParser
import PTuneEngine

/// How to compute, for the commands that use a model.
struct ComputeOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Threads to compute with; all cores by default.", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "What products with the base model's weights round to: f32, or bf16, which is faster on processors that have it.",
      valueName: "precision"))
  var compute = ComputePrecision.f32

  func validate() throws {
    guard (1...1024).contains(threads ?? 1) else {
      throw ValidationError("--threads has to be within 1 and 1024")
    }
  }
}

extension ComputePrecision: ExpressibleByArgument {}
