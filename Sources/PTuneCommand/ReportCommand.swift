import ArgumentParser
import PTuneFormats
import PTuneReport

/// `ptune report RUN…`: a page about trainings.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make an HTML page about one training, or about several.",
    discussion: """
      The page is one file that needs neither network nor scripts: results, curves, confusions, the examples that went \
      wrong with their texts, the run file, versions. It is made from the files of the run folders; the model is not \
      loaded.

      Examples:
        ptune report runs/films
        ptune report runs/prompt runs/prefix --output methods.html
      """)

  @Argument(
    help: ArgumentHelp("The output folder of a training; may be repeated.", valueName: "run"),
    completion: .directory)
  var runs: [String]

  @Option(
    help: ArgumentHelp(
      "The file to write: by default report.html in the run's folder, or in the current one for several runs.",
      valueName: "file"), completion: .file(extensions: ["html"]))
  var output: String?

  func run() throws {
    let path = output ?? (runs.count == 1 ? FilePath.join(runs[0], "report.html") : "report.html")
    try Report(runs.map { try RunFolder($0) }).write(to: path)
    Output.print("The report is in \(path).")
  }
}

extension ReportError: HelpfulError {}
