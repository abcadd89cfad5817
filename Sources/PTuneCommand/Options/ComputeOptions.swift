import ArgumentParser
import PTuneEngine

/// How to compute, for the commands that use a model.
struct ComputeOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Number of threads; all cores by default.", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "The precision of products with the base model's weights: f32, or bf16, which is faster on processors that support it.",
      valueName: "precision"))
  var compute = ComputePrecision.f32

  func validate() throws {
    guard (1...1024).contains(threads ?? 1) else {
      throw ValidationError("--threads has to be within 1 and 1024")
    }
  }
}

extension ComputePrecision: ExpressibleByArgument {}
