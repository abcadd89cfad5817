import Foundation
import PTuneFormats
import Testing

@Suite("ptune recommend") struct RecommendCommandTests {
  @Test(
    "the first rule that applies is the answer",
    arguments: [
      (["--tasks", "3"], "multitask-prompt-tuning:selector=task"),
      (["--tasks", "3", "--objective", "size"], "multitask-prompt-tuning:form=factors"),
      (["--tasks", "3", "--objective", "latency"], "prefix-tuning"),
      (["--objective", "size"], "prompt-tuning"),
      (["--train-examples", "200"], "prefix-tuning:initialization=sampled-vocabulary"),
      (["--head", "token-classification"], "p-tuning-v2"),
      // The tiny model has 27,904 parameters in matrices, with their copies 335 KB.
      (["--model", "model", "--memory", "600K"], "p-tuning-v2:depth=1"),
      (["--model", "model", "--memory", "1G"], "prefix-tuning"),
      ([], "prefix-tuning"),
    ])
  func rules(arguments: [String], method: String) throws {
    let desk = try Desk()
    let result = try desk.ptune(["recommend", "--json"] + arguments)
    #expect(result.status == 0, "\(result.errors)")
    let document = try result.document()
    #expect(document["method"]?.stringValue == method)
    #expect(document["by"] == "rules")
    for key in ["because", "source"] { #expect(document[key]?.stringValue?.isEmpty == false) }
  }

  @Test("every rule can be the answer, and the run file for it passes the checks of a training")
  func runFiles() throws {
    let desk = try Desk()
    let rules = try #require(try desk.ptune("recommend", "--rules", "--json").document().arrayValue)
    var answers: Set<String> = []
    let situations = [
      ["--tasks", "3"], ["--tasks", "2", "--objective", "size"], ["--tasks", "2", "--objective", "latency"],
      ["--objective", "size"], ["--objective", "latency"], ["--train-examples", "200"],
      ["--head", "token-classification"], ["--memory", "600K"], [],
    ]
    for (index, situation) in situations.enumerated() {
      let written = try desk.ptune(
        ["recommend", "--json", "--model", "model", "--write", "run\(index).yaml"] + situation)
      #expect(written.status == 0, "\(situation): \(written.errors)")
      answers.insert(try #require(try written.document()["when"]?.stringValue))
      // It lacks nothing but the data.
      let trained = try desk.ptune("train", "run\(index).yaml")
      #expect(
        trained.errors.hasPrefix("error: run\(index).yaml:")
          && trained.errors.contains(": cannot read FOLDER/data/"), "\(trained.errors)")
    }
    #expect(answers == Set(rules.compactMap { $0["when"]?.stringValue }))
    let again = try desk.ptune("recommend", "--write", "run0.yaml")
    #expect(again.status == 1 && again.errors.hasPrefix("error: run0.yaml already exists"))
  }

  @Test("results of a comparison take the place of rules, by the objective")
  func results() throws {
    let desk = try Desk()
    #expect(
      try desk.ptune("compare", "run.yaml", "--adapters", "prompt-tuning,prefix-tuning", "--max-steps", "2")
        .status
        == 0)
    var text = try desk.text("out-comparison/comparison.json")
    for objective in ["accuracy", "latency", "size"] {
      let result = try desk.ptune(
        "recommend", "--results", "out-comparison", "--objective", objective, "--write", "\(objective).yaml",
        "--json")
      #expect(result.status == 0, "\(result.errors)")
      #expect(try result.document()["by"] == "results")
      #expect(try desk.ptune("train", "\(objective).yaml", "--max-steps", "1", "--quiet").status == 0)
    }
    // The same results, but for a prefix that is far better and needs much memory.
    func change(_ label: String, accuracy: Double?, memory: Int) throws {
      var document = try #require(try JSONValue.parse(text).objectValue)
      let rows = try #require(document["rows"]?.arrayValue).map { row -> JSONValue in
        guard row["label"]?.stringValue == label, var row = row.objectValue else { return row }
        row["tasks"] = [
          [
            "task": "tone", "measured_on": "test", "metric": "accuracy", "higher_is_better": true,
            "metrics": [
              "accuracy": ["mean": accuracy.map { .double($0) } ?? .null, "deviation": .null, "values": []]
            ],
          ]
        ]
        row["training_peak_memory_bytes"] = ["mean": .int(memory)]
        return .object(row)
      }
      document["rows"] = .array(rows)
      text = JSONValue.object(document).text()
      try desk.write("out-comparison/comparison.json", text)
    }
    try change("prefix-tuning", accuracy: 0.9, memory: 4_000_000_000)
    try change("prompt-tuning", accuracy: 0.895, memory: 1_000_000_000)
    func answer(_ arguments: String...) throws -> String? {
      try desk.ptune(["recommend", "--results", "out-comparison", "--json"] + arguments).document()["method"]?
        .stringValue
    }
    #expect(try answer() == "prefix-tuning")
    #expect(try answer("--objective", "size") == "prompt-tuning")
    #expect(try answer("--memory", "2G") == "prompt-tuning")
    // A result that is not a number is worse than any.
    try change("prefix-tuning", accuracy: nil, memory: 4_000_000_000)
    #expect(try answer() == "prompt-tuning")
    #expect(try answer("--objective", "size") == "prompt-tuning")
    try change("prefix-tuning", accuracy: 0.9, memory: 4_000_000_000)
    let none = try desk.ptune("recommend", "--results", "out-comparison", "--memory", "1M")
    #expect(none.status == 1 && none.errors.contains("no method in"))
    let empty = try desk.ptune("recommend", "--results", "model")
    #expect(empty.errors.contains("model holds no results of a comparison"))
  }
}
