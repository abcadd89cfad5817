import ArgumentParser
import CPTuneKernels
import PTuneFormats
import PTuneTerminal

/// `ptune bench operators`: how fast matrix products, attention and norms are here.
struct BenchOperators: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "operators",
    abstract: "Measure matrix products, attention and elementwise kernels.",
    discussion: """
      Matrix products x·W are measured for each available library, with weights packed beforehand if the library \
      supports that. Percentages are of the peak: the fastest product in single precision measured here.

      Examples:
        ptune bench operators --quick --threads 1
      """)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Number of threads; all cores by default.", valueName: "n"))
  var threads: Int?

  @Flag(help: "Measure fewer sizes.")
  var quick = false

  @Flag(help: "Print one JSON document.")
  var json = false

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads has to be 1 or more") }
  }

  func run() throws {
    let benchmark = OperatorBenchmark(threads: threads ?? Machine().threads)
    let products = benchmark.products(quick: quick)
    let peak = products.filter { !$0.isReduced }.map(\.rate).max() ?? 0
    let others = benchmark.attention(quick: quick) + benchmark.rowwise()
    if json {
      Output.json([
        "threads": .int(benchmark.threads), "kernels": .string(String(cString: ptk_kernel_variant())),
        "peak_gflops": .double(peak),
        "products": .array(products.map(\.json)), "operators": .array(others.map(\.json)),
      ])
      return
    }
    func row(_ figure: OperatorFigure) -> [String] {
      [
        figure.name, figure.size, NumberText.fixed(figure.seconds * 1e6, 1),
        "\(NumberText.fixed(figure.rate, 1)) \(figure.unit)",
        figure.unit == OperatorFigure.products ? NumberText.fixed(100 * figure.rate / peak, 0) : "",
      ]
    }
    var table = TextTable(
      ["OPERATOR", "SIZE", "MICROSECONDS", "RATE", "% OF PEAK"],
      alignments: [.leading, .leading, .trailing, .trailing, .trailing])
    for figure in products + others { table.add(row(figure)) }
    Output.print("\(benchmark.threads) threads, kernels for \(String(cString: ptk_kernel_variant()))\n")
    Output.print(table)
  }
}
