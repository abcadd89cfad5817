import PTuneAdapters
import PTuneFormats
import PTunePlugins
import PTuneRunFile

extension FuzzTarget {
  static let runFile = FuzzTarget("run-file") {
    let whole = """
      base: {plugin: bert, model: org/name}
      adapter: &a {plugin: p-tuning-v2, virtual_tokens: 4}
      selector: attention
      tasks:
        - name: tone
          weight: 2
          head: {plugin: sequence-classification, labels: [a, "b"]}
          data: {train: t.tsv, validation: v.tsv, text: x, template: "{text} {mask}", fields: {y: z}}
      training: {epochs: 3, learning_rate: 5.0e-3, evaluate_every: epoch, checkpoint_every: 7, seed: 1}
      output: runs/x
      """
    let texts = [
      whole, "base: {model: m}\nadapter: prompt-tuning\ntasks: [{name: a, head: h, data: {train: t}}]\n",
      "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "- 1\n- {a: b}\n", "? a\n: |\n  b\n...\n",
    ]
    return texts.map { Array($0.utf8) }
  } body: { input, scratch in
    let path = try scratch.file("run.yaml", input)
    let resolver = ModelResolver(environment: [:], currentFolder: scratch.folder)
    let spec = try RunFile(path).run(resolver: resolver)
    // What is written as resolved is the same run.
    let again = try RunSpec.parse(spec.yaml(), file: path, resolver: resolver)
    precondition(again.yaml() == spec.yaml())
  }

  static let lock = FuzzTarget("lock") {
    let digest = String(repeating: "0a", count: 32)
    return [
      """
      {"ptune_lock": 1, "plugins": {"libptune_a.so": {"id": "org.example.a", "version": "1.0", "components": ["a", "b"],
      "sha256": "\(digest)"}}}
      """, #"{"ptune_lock": 2, "plugins": {}}"#, #"{"ptune_lock": 1, "plugins": {"x": {"sha256": "00"}}}"#,
    ].map { Array($0.utf8) }
  } body: { input, scratch in
    let lock = try PluginLock(reading: try scratch.file("ptune.lock", input))
    // What is written is the same lock.
    try lock.write()
    let again = try PluginLock(reading: lock.path)
    precondition(again.entries == lock.entries)
  }

  /// A config, a zero byte, and an adapter_model.safetensors, on the tiny BERT.
  static let adapter = FuzzTarget("adapter") {
    let names = [
      "bert-seq-prompt_tuning", "bert-seq-prefix_tuning", "bert-seq-p_tuning_mlp", "bert-seq-multitask",
    ]
    let peft = try names.map { name in
      try Fixtures.bytes("peft/\(name)/adapter_config.json") + [0]
        + Fixtures.bytes("peft/\(name)/adapter_model.safetensors")
    }
    let own = """
      {"base_model_name_or_path": "m", "ptune": {"format": 1, "base": {"plugin": "bert", "hyperparameters": {},
      "weights_sha256": "x"}, "adapter": {"plugin": "p-tuning", "hyperparameters": {"a": 1, "b": [0.5], "c": "d"}},
      "selector": {"plugin": "top-k"}, "tasks": [{"name": "t", "head": {"plugin": "h"}, "data": {"text": "x",
      "template": "{text} {mask}", "fields": {"y": "z"}}}], "maximum_length": 8, "token_types": false,
      "plugins": [{"kind": "adapter", "name": "n", "version": "1", "file": "f"}]}}
      """
    return peft + [Array(own.utf8)]
  } body: { input, scratch in
    let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    _ = try scratch.file("adapter_config.json", parts[0])
    _ = try scratch.file("adapter_model.safetensors", parts.count > 1 ? parts[1] : [])
    try AdapterFolder.check(scratch.folder, baseModel: "\(Fixtures.folder)/tiny-bert")
  }
}
