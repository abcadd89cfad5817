import ArgumentParser
import PTuneFormats
import PTuneRunFile
import PTuneTraining

/// `ptune bench steps RUN`: takes single steps of a run when it is told to.
struct BenchSteps: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "steps",
    abstract: "Run steps of a training, and print how long each took.",
    discussion: """
      Reads commands from standard input, one per line, and answers each with one line of JSON:

        train N   runs N training steps
        score N   scores N batches as an evaluation does

      Batches are the rows of the training file in their order, so that another program can be given the same \
      ones; N steps always use the first N of them. The learning rate is the run's highest, and nothing is \
      written. The command ends with its input.

      Examples:
        echo 'train 20' | ptune bench steps run.yaml --threads 1
      """)

  @Argument(help: ArgumentHelp("The run file.", valueName: "run.yaml"))
  var runFile: String

  @OptionGroup var options: RunOptions

  @OptionGroup var plugins: PluginOptions

  func run() throws {
    let spec = try RunSpec.read(runFile, overrides: try options.overrides())
    let run = try TrainingRun(spec, registry: try plugins.registry(runFile: runFile)) { level, text in
      if level >= 2 { Output.warning(text) }
    }
    let steps = TimedSteps(run)
    while let line = readLine() {
      let words = line.split(separator: " ")
      guard words.count == 2, let count = Int(words[1]), count > 0 else { throw unknown(line) }
      var answer: JSONObject = ["command": .string(line)]
      switch words[0] {
      case "train":
        let (seconds, loss) = try steps.train(count)
        answer["seconds"] = .array(seconds.map { .double($0) })
        answer["loss"] = .double(loss)
      case "score": answer["seconds"] = .array(try steps.score(count).map { .double($0) })
      default: throw unknown(line)
      }
      answer["peak_memory_bytes"] = .int(peakMemory())
      Output.data(JSONValue.object(answer).text(.line) + "\n")
    }
  }

  private func unknown(_ line: String) -> ValidationError {
    ValidationError("'\(line)' is not a command; the commands are `train N` and `score N`")
  }
}
