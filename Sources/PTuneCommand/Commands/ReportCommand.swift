import ArgumentParser
import PTuneFormats
import PTuneReport

/// `ptune report RUN…`: a page about trainings.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make an HTML page about one training, several, or a comparison.",
    discussion: """
      The page is one file that needs neither network nor scripts: results, curves, confusion matrices, \
      misclassified examples with their texts, the run file, versions. It is made from the files in the run \
      folders; the model is not loaded. Without --output, it is report.html in the folder of the run, \
      comparison.html in that of a comparison, or, for several runs, report.html in the current folder.

      Examples:
        ptune report runs/films
        ptune report runs/prompt runs/prefix --output methods.html
        ptune report runs/films-comparison
      """)

  @Argument(
    help: ArgumentHelp(
      "The output folder of a training, or of a comparison; may be repeated.", valueName: "run"),
    completion: .directory)
  var runs: [String]

  @Option(
    help: ArgumentHelp("The file to write.", valueName: "file"), completion: .file(extensions: ["html"]))
  var output: String?

  func run() throws {
    if runs.count == 1, ComparisonFolder.isComparison(runs[0]) {
      let report = Report(try ComparisonFolder(runs[0]))
      return try write(report, to: FilePath.join(runs[0], ComparisonFolderFiles.report))
    }
    if let folder = runs.first(where: ComparisonFolder.isComparison) {
      throw ReportError.unusable(
        "\(folder) is the folder of a comparison, which has a separate page",
        help:
          "give either one comparison or runs; its trainings are the runs in \(FilePath.join(folder, ComparisonFolderFiles.cells))"
      )
    }
    try write(
      Report(runs.map { try RunFolder($0) }),
      to: runs.count == 1 ? FilePath.join(runs[0], RunFolderFiles.report) : RunFolderFiles.report)
  }

  private func write(_ report: Report, to usual: String) throws {
    guard let output else {
      try report.write(to: usual)
      return Output.print("The report is in \(usual).")
    }
    guard output != "-" else { return Output.data(report.html) }
    let read = try runs.flatMap { run in
      FileSystem.isFolder(run) ? try FileSystem.entries(of: run).map { FilePath.join(run, $0) } : [run]
    }
    try report.write(output: output, reading: read.filter { !$0.hasSuffix(".html") })
    Output.print("The report is in \(output).")
  }
}
