import Foundation
import PTuneFormats
import Testing

@testable import PTuneRunFile

@Suite struct RunFileErrorTests {
  @Test(
    "a mistake in a run file is named with its line and what to do",
    arguments: [
      (
        "epochs: 5", "bach_size: 8",
        "jobs/run.yaml:8: unknown key 'bach_size' in training; did you mean 'batch_size'?"
      ),
      ("training:", "trainning:", "jobs/run.yaml:8: unknown key 'trainning'; did you mean 'training'?"),
      ("epochs: 5", "zzz: 8", "jobs/run.yaml:8: unknown key 'zzz' in training"),
      ("validation:", "valid:", "jobs/run.yaml:7: unknown key 'valid' in data of task 'sentiment'"),
      ("name: sentiment", "label: x", "jobs/run.yaml:5: unknown key 'label' in task 0"),
      ("epochs: 5", "epochs: five", "jobs/run.yaml:8: 'epochs' should be an integer but is the text 'five'"),
      ("epochs: 5", "epochs: 1.5", "jobs/run.yaml:8: 'epochs' should be an integer but is the number 1.5"),
      ("epochs: 5", "epochs: '5'", "jobs/run.yaml:8: 'epochs' should be an integer but is the text '5'"),
      ("epochs: 5", "epochs: [5]", "jobs/run.yaml:8: 'epochs' should be a single value but is a list"),
      (
        "epochs: 5", "epochs: 0",
        "jobs/run.yaml:8: 'epochs' must be at least 1 and at most 1000000000 but is 0"
      ),
      (
        "epochs: 5", "accumulation: 9223372036854775807",
        "jobs/run.yaml:8: 'accumulation' must be at least 1 and at most 1048576 but is 9223372036854775807"
      ),
      ("5.0e-3", "-1", "jobs/run.yaml:8: 'learning_rate' must be above 0 and at most 1000 but is -1"),
      ("5.0e-3", ".nan", "jobs/run.yaml:8: 'learning_rate' must be above 0 and at most 1000 but is .nan"),
      ("epochs: 5", "beta1: 1", "jobs/run.yaml:8: 'beta1' must be at least 0 and below 1 but is 1"),
      (
        "epochs: 5", "schedule: cosin",
        "jobs/run.yaml:8: 'schedule' must be one of linear, cosine, constant but is 'cosin'; did you mean 'cosine'?"
      ),
      (
        "evaluate_every: 50", "evaluate_every: 0",
        "jobs/run.yaml:8: 'evaluate_every' should be 'epoch', 'never' or a number of steps from 1 but is the integer 0"
      ),
      (
        "epochs: 5", "warmup_steps: 5, warmup_ratio: 0.1",
        "jobs/run.yaml:8: give either 'warmup_steps' or 'warmup_ratio', not both"
      ),
      (
        "epochs: 5", "optimizer: adafactor, beta2: 0.9",
        "jobs/run.yaml:8: 'beta2' is of the optimizer adamw, and the run's is adafactor"
      ),
      (
        "epochs: 5", "clip_threshold: 2",
        "jobs/run.yaml:8: 'clip_threshold' is of the optimizer adafactor, and the run's is adamw"
      ),
      ("epochs: 5", "epochs: 5, epochs: 6", "jobs/run.yaml:8: the key 'epochs' occurs twice"),
      ("label: label", "header: 1", "jobs/run.yaml:7: 'header' should be true or false but is the integer 1"),
      ("train: train.tsv, ", "", "jobs/run.yaml:7: data of task 'sentiment' has no 'train'"),
      ("train: train.tsv", "train: ''", "jobs/run.yaml:7: 'train' must say something but is empty"),
      ("text: sentence", "text: [a]", "jobs/run.yaml:7: 'text' should be text but is a list"),
      ("plugin: p-tuning-v2, ", "", "jobs/run.yaml:3: adapter has no 'plugin'"),
      (
        "deep: true", "deep: {a: 1}",
        "jobs/run.yaml:3: 'deep' should be a value or a list of texts but is a mapping"
      ),
      (
        "deep: true", "deep: [[1]]",
        "jobs/run.yaml:3: 'an element of deep' should be a value but is a list"
      ),
      ("model: sentence-transformers/all-MiniLM-L6-v2", "", "jobs/run.yaml:2: base has no 'model'"),
      (
        "name: sentiment", "name: a.b",
        "jobs/run.yaml:5: 'name' must be a letter, then letters, digits, '_' and '-' but is 'a.b'"
      ),
      ("output:", "base:", "jobs/run.yaml:2: the key 'base' occurs twice"),
      (
        "{epochs: 5, learning_rate: 5.0e-3, evaluate_every: 50}", "[1]",
        "jobs/run.yaml:8: 'training' should be a mapping but is a list"
      ),
      (
        "epochs: 5", "early_stopping_patience: 2, evaluate_every: never",
        "jobs/run.yaml:8: the key 'evaluate_every' occurs twice"
      ),
      (
        "validation: ../dev.tsv, text: sentence, label: label}\ntraining: {epochs: 5",
        "text: sentence}\ntraining: {early_stopping_patience: 2",
        "jobs/run.yaml:8: 'early_stopping_patience' needs validation data"
      ),
    ])
  func mistakes(original: String, mistake: String, expected: String) throws {
    #expect(RunFileTests.example.contains(original))
    let error = #expect(throws: RunFileError.self) {
      _ = try parse(RunFileTests.example.replacing(original, with: mistake))
    }
    #expect(error?.description == expected)
  }

  @Test(
    "a run file that is no run is named",
    arguments: [
      ("", "jobs/run.yaml:1: the run file has no 'base'"),
      ("# nothing\n", "jobs/run.yaml:1: the run file has no 'base'"),
      ("- a", "jobs/run.yaml:1: 'run file' should be a mapping but is a list"),
      ("base: x", "jobs/run.yaml:1: 'base' should be a mapping but is the text 'x'"),
      (
        "base: {model: m}\nadapter: a\ntasks: []",
        "jobs/run.yaml:3: 'tasks' should be a list of tasks but is an empty list"
      ),
      (
        "base: {model: m}\nadapter: a\ntasks: 3",
        "jobs/run.yaml:3: 'tasks' should be a list of tasks but is the integer 3"
      ),
      (
        "base: {a: 1",
        "jobs/run.yaml:2:1: this is not YAML: did not find expected ',' or '}', while parsing a flow mapping from 1:7"
      ),
      (
        "base:\n\tmodel: x",
        "jobs/run.yaml:2:1: this is not YAML: found character that cannot start any token, while scanning for the next token from 2:1"
      ),
      (
        "a: 1\n---\nb: 2",
        "jobs/run.yaml:2:1: this is not YAML: expected a single document in the stream, but found another document"
      ),
      ("a: *x", "jobs/run.yaml:1:4: this is not YAML: found undefined alias"),
      ("a: 1\nb: \u{7}", "jobs/run.yaml:2:4: this is not YAML: control characters are not allowed"),
      ("? [a]\n: b", "jobs/run.yaml:1: 'key' should be text but is a list or a mapping"),
    ])
  func noRuns(text: String, expected: String) {
    let error = #expect(throws: RunFileError.self) { _ = try parse(text) }
    #expect(error?.description == expected)
  }

  @Test("an unknown key comes with the known ones")
  func help() {
    let error = #expect(throws: RunFileError.self) { _ = try parse("bse: 1") }
    #expect(error?.description == "jobs/run.yaml:1: unknown key 'bse'; did you mean 'base'?")
    #expect(
      error?.help
        == "the keys of a run file are base, adapter, adapters, selector, extend, start_from, tasks, training, output, "
        + "compare"
    )
  }

  @Test("a file that is not UTF-8 is named with the line and the byte")
  func encoding() throws {
    for (number, bytes) in [[0x61, 0x0A, 0xFF, 0x0A], [0x61, 0x0A, 0xE2, 0x82]].enumerated()
      as EnumeratedSequence<[[UInt8]]>
    {
      let path = "\(NSTemporaryDirectory())/ptune-\(number)-\(UUID().uuidString).yaml"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      defer { try? FileManager.default.removeItem(atPath: path) }
      let error = #expect(throws: RunFileError.self) { _ = try RunSpec.read(path) }
      #expect(error?.description == "\(path):2: byte 1 of the line is not UTF-8")
      #expect(error?.help == "convert the file to UTF-8: iconv -f ENCODING -t UTF-8 FILE > NEW")
    }
  }

  @Test("a bomb of aliases, a deep nest and an endless list are errors")
  func bombs() {
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...12 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      bomb += "a\(level): &a\(level) [\(aliases)]\n"
    }
    #expect(size(of: bomb) == "it has more than 16 aliases")
    #expect(size(of: bomb + "? *a12\n: x") == "it has more than 16 aliases")
    let small =
      "a: &a [\(Array(repeating: "x", count: 1500).joined(separator: ","))]\n"
      + "b: [\(Array(repeating: "*a", count: 15).joined(separator: ", "))]"
    #expect(size(of: small) == "it has more than 20000 values")
    #expect(
      size(of: "a: " + String(repeating: "[", count: 20) + String(repeating: "]", count: 20))
        == "it is nested more than 16 deep")
    #expect(throws: RunFileError.self) { _ = try parse(String(repeating: "[", count: 100_000)) }
    #expect(throws: RunFileError.self) { _ = try parse(String(repeating: "- ", count: 100_000)) }
    #expect(size(of: String(repeating: "#", count: 2_000_000)) == "it has 2000000 bytes")
  }

  @Test("anchors that stay small work, and stars in texts are no aliases")
  func anchors() throws {
    let text = RunFileTests.example.replacing(
      "plugin: bert, ", with: "plugin: &p bert, x: *p, y: '2 * 3 ** 4', ")
    #expect(try parse(text).base.hyperparameters["x"]?.value == .string("bert"))
  }

  @Test("a run file cut off anywhere is read or refused, never a crash")
  func truncated() {
    for length in 0..<RunFileTests.example.utf8.count {
      _ = try? parse(String(decoding: RunFileTests.example.utf8.prefix(length), as: UTF8.self))
    }
  }

  private func size(of text: String) -> String {
    let error = #expect(throws: RunFileError.self) { _ = try parse(text) }
    guard case .size(let limit)? = error?.problem else { return "\(String(describing: error))" }
    return limit
  }
}
