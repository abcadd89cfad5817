import Foundation
import PTune
import PTuneFormats
import Testing

@Suite("ptune train") struct TrainCommandTests {
  /// The text with # for what time or the machine's arithmetic decides.
  private func timeless(_ text: String) -> String {
    let patterns = [
      ("[0-9]+ examples/s", "# examples/s"), ("0\\.[0-9]{4} +[0-9.]+ +[0-9]+\n", "#  #  #\n"),
      ("-?[01]\\.[0-9]{4} *", "# "), ("(class #) +\\*?\n", "$1\n"), ("best step [0-9]+", "best step #"),
      ("[▁▂▃▄▅▆▇█]{12} # \n", "▁#▁ #\n"),
    ]
    return patterns.reduce(text) {
      $0.replacingOccurrences(of: $1.0, with: $1.1, options: .regularExpression)
    }
  }

  @Test("it says what it does, line by line where there is no terminal, and ends with a table")
  func lines() throws {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml")
    #expect(result.status == 0)
    #expect(result.errors == "")
    #expect(
      timeless(result.output) == """
        model     FOLDER/model (bert, 32,144 parameters)
        adapter   p-tuning-v2, 578 trainable parameters (1.80 % of the model's)
        data      48 examples, 16 for validation, 16 for test
        labels    negative 24, positive 24
        training  12 steps, learning rate 0.01

        step 5/12  epoch 1  loss # # examples/s
        step 6  validation  accuracy # f1_macro # mcc # majority_class #
        step 10/12  epoch 2  loss # # examples/s
        step 12/12  epoch 2  loss # # examples/s
        step 12  validation  accuracy # f1_macro # mcc # majority_class #

        loss      # ▁#▁ #

        METHOD       TRAINABLE     ACCURACY  MAJORITY CLASS  SECONDS  EXAMPLES/S
        p-tuning-v2  578 (1.80 %)  # #  #  #

        Measured on 16 test examples, best step #.

        The adapter is in FOLDER/out/adapter. To use it:
          ptune predict --adapter FOLDER/out/adapter --text "…"

        The report is in FOLDER/out/report.html.

        """)
    #expect(!result.output.contains("\u{1B}") && !result.output.contains("\r"))
    #expect(
      try FileSystem.entries(of: desk.folder + "/out").map { $0.hasPrefix("events.") ? "events…" : $0 }
        == [
          ".lock", "adapter", "checkpoints", "events…", "metrics.jsonl", "predictions.jsonl", "report.html",
          "results.json", "run.yaml",
        ])
    #expect(
      try FileSystem.entries(of: desk.folder + "/out/adapter")
        == ["README.md", "adapter_config.json", "adapter_model.safetensors"])
  }

  @Test("--json prints one document with everything in it")
  func document() throws {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml", "--json")
    #expect(result.status == 0)
    let document = try result.document()
    #expect(
      document.objectValue?.keys == [
        "trainable_parameters", "base_parameters", "metrics", "loss", "learning_rate", "steps", "best_step",
        "interrupted", "seconds", "examples_per_second", "peak_memory_bytes", "adapter", "plugins",
      ])
    #expect(document["trainable_parameters"] == 578)
    #expect(document["base_parameters"] == 32_144)
    #expect(document["steps"] == 12)
    #expect(document["interrupted"] == false)
    #expect(document["adapter"] == "FOLDER/out/adapter")
    for part in ["validation", "test"] {
      let metrics = document["metrics"]?[part]?["tone"]?.objectValue
      #expect(metrics?.keys == ["accuracy", "f1_macro", "mcc", "majority_class"])
      #expect(metrics?["majority_class"] == 0.5)
    }
    for key in ["seconds", "examples_per_second", "peak_memory_bytes", "loss"] {
      #expect(try #require(document[key]?.doubleValue) > 0)
    }
    let plugins = try #require(document["plugins"]?.arrayValue)
    #expect(plugins.map { $0["kind"] } == ["base-model", "adapter", "task-head"])
    #expect(plugins.map { $0["name"] } == ["bert", "p-tuning-v2", "sequence-classification"])
    #expect(plugins.allSatisfy { $0["version"]?.stringValue == Release.version })
    #expect(plugins[1]["file"]?.stringValue?.hasPrefix("PLUGINS/libptune_p_tuning_v2.") == true)
    #expect(result.errors.hasPrefix("model     FOLDER/model"))
  }

  @Test("--resume without a checkpoint begins, and says so")
  func nothingToResume() throws {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml", "--quiet", "--resume", "--max-steps", "1")
    #expect(result.status == 0)
    #expect(
      result.errors
        == "warning: there is no checkpoint in FOLDER/out/checkpoints; training begins at the first step\n")
  }

  @Test("--quiet leaves the result")
  func quiet() throws {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml", "--quiet", "--max-steps", "2")
    #expect(result.output.hasPrefix("METHOD "))
    #expect(result.errors == "")
  }

  @Test(
    "flags take the place of the run file, and hyperparameters another adapter does not know are left out")
  func flags() throws {
    let desk = try Desk()
    let result = try desk.ptune(
      "train", "run.yaml", "--adapter", "prompt-tuning", "--output", "other", "--max-steps", "2", "--epochs",
      "9",
      "--learning-rate", "1e-3", "--batch-size", "4", "--seed", "5", "--threads", "1", "--set",
      "adapter.placement=after-first", "--set", "training.schedule=cosine")
    #expect(result.status == 0)
    #expect(
      result.errors
        == "warning: run.yaml is for p-tuning-v2; prompt-tuning has no depth, so this is left out\n")
    let config = try JSONValue.read(desk.folder + "/other/adapter/adapter_config.json")
    // All of them, so that the adapter does not change with a default.
    #expect(
      config["ptune"]?["adapter"]
        == [
          "plugin": "prompt-tuning",
          "hyperparameters": [
            "deviation": 0.02, "dropout": 0.0, "initial_text": "", "initialization": "sampled-vocabulary",
            "placement": "after-first", "virtual_tokens": 4,
          ],
        ])
    let run = try desk.text("other/run.yaml")
    for line in ["epochs: 9", "max_steps: 2", "batch_size: 4", "seed: 5", "threads: 1", "schedule: cosine"] {
      #expect(run.contains("  \(line)\n"))
    }
    #expect(run.contains("  learning_rate: 0.001\n"))
  }

  @Test("what --set gives another adapter is never left out")
  func strangeFlag() throws {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml", "--adapter", "prompt-tuning", "--set", "adapter.depth=1")
    #expect(result.status == 1)
    #expect(
      result.errors == """
        error: --set adapter.depth=1: prompt-tuning has no hyperparameter 'depth'
        help: it takes virtual_tokens, placement, initialization, initial_text, deviation, dropout

        """)
  }

  @Test("the resolved run file is the same run")
  func resolved() throws {
    let desk = try Desk()
    #expect(try desk.ptune("train", "run.yaml", "--max-steps", "3").status == 0)
    let weights = try desk.bytes("out/adapter/adapter_model.safetensors")
    #expect(try desk.ptune("train", "out/run.yaml", "--overwrite").status == 0)
    #expect(try desk.bytes("out/adapter/adapter_model.safetensors") == weights)
  }

  @Test(
    "Ctrl-C ends after the step with a checkpoint, says how to go on, and that works",
    arguments: [SIGINT, SIGTERM, SIGHUP])
  func interruption(signal: Int32) throws {
    let desk = try Desk()
    let (process, pipe, begun) = try desk.endlessTraining()
    kill(process.processIdentifier, signal)
    let output = begun + String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 130)
    let end = desk.short(output).split(separator: "\n").suffix(2)
    let line = try #require(end.first.map(String.init))
    #expect(
      line.hasPrefix("stopped at step ")
        && line.hasSuffix(" of 600000; a checkpoint is in FOLDER/out/checkpoints"))
    #expect(
      end.last
        == "resume with: ptune train run.yaml --epochs 100000 --set training.evaluate_every=never --resume")
    let step = try #require(line.split(separator: " ").compactMap { Int($0) }.first)
    let next = try desk.ptune(
      "train", "run.yaml", "--resume", "--accept-changes", "--json", "--max-steps", "\(step + 2)", "--set",
      "training.evaluate_every=never")
    #expect(next.errors.contains("resuming from step \(step)\n"))
    #expect(try next.document()["steps"] == .int(step + 2))
  }

  @Test("a closed or full standard output or error does not keep the adapter from being trained")
  func closedStreams() throws {
    let desk = try Desk()
    for redirection in [">&- 2>&-", "2>&-", ">/dev/full", "| true", "<&-"] {
      try? FileManager.default.removeItem(atPath: desk.folder + "/out")
      _ = try desk.shell("ptune train run.yaml --max-steps 2 \(redirection)")
      #expect(FileSystem.isFile(desk.folder + "/out/adapter/adapter_config.json"), "\(redirection)")
    }
    let full = try desk.shell(
      "ptune train run.yaml --overwrite --max-steps 2 --quiet --json >/dev/full 2>errors; echo $?; tail -n 2 errors"
    )
    #expect(
      full.output == """
        1
        error: cannot write 'standard output': No space left on device
        help: free some space, or choose another folder for the output

        """)
  }
}

@Suite("ptune train --find-learning-rate") struct FindLearningRateTests {
  @Test("it suggests a rate, shows the curve, and writes nothing but its own file")
  func finds() throws {
    let desk = try Desk()
    let result = try desk.ptune("train", "run.yaml", "--find-learning-rate", "--learning-rate", "1e-6")
    #expect(result.status == 0)
    #expect(result.errors == "")
    #expect(result.output.contains("smoothed loss by learning rate\n"))
    #expect(result.output.contains("1e-3"))
    let document = try JSONValue.parse(try desk.text("out/learning-rate.json"))
    let suggestion = try #require(document["suggestion"]?.doubleValue)
    #expect(result.output.contains("suggestion  \(suggestion)\n"))
    #expect(
      result.output.contains(
        "train with  ptune train run.yaml --learning-rate \(suggestion)\n"))
    #expect(try #require(document["points"]?.arrayValue).count > 50)
    #expect(try FileSystem.entries(of: desk.folder + "/out") == ["learning-rate.json"])
    #expect(try desk.ptune("train", "run.yaml", "--find-learning-rate", "--resume").status == 2)
  }

  @Test("a training whose loss does not move says so, and what to try")
  func still() throws {
    let desk = try Desk()
    let result = try desk.ptune(
      "train", "run.yaml", "--learning-rate", "1e-9", "--epochs", "20", "--set",
      "training.evaluate_every=never",
      "--quiet")
    #expect(result.status == 0)
    #expect(result.errors.hasPrefix("warning: the loss has not moved in 100 steps ("))
    #expect(result.errors.contains("`--find-learning-rate`"))
  }
}
