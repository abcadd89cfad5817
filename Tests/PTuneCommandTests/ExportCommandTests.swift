import Foundation
import PTuneFormats
import Testing

@Suite("ptune export") struct ExportCommandTests {
  /// Trains with a head as transformers' class for BERT has it.
  private func trained(_ settings: String...) throws -> Desk {
    let desk = try Desk()
    let flags = (["head.pooling=cls", "head.base_pooler=true"].map { "tasks.tone.\($0)" } + settings)
      .flatMap { ["--set", $0] }
    let result = try desk.ptune(["train", "run.yaml", "--quiet", "--max-steps", "4"] + flags)
    try #require(result.status == 0, "\(result.errors)")
    return desk
  }

  @Test("what was written predicts the same, and the lines of Python that load it are shown")
  func export() throws {
    let desk = try trained("adapter.depth=0")
    let result = try desk.ptune("export", "out/adapter", "--output", "peft")
    #expect(result.status == 0 && result.errors == "")
    #expect(
      result.output == """
        PREFIX_TUNING for SEQ_CLS, of PEFT, is in peft

        TENSOR                        SHAPE
        base_model.classifier.bias    2
        base_model.classifier.weight  2×32
        prompt_embeddings             4×192

        To use it in Python:

        from peft import PeftModel
        from transformers import AutoModelForSequenceClassification

        labels = ["negative", "positive"]
        base = AutoModelForSequenceClassification.from_pretrained("FOLDER/model", num_labels=2, \
        id2label=dict(enumerate(labels)), label2id={label: id for id, label in enumerate(labels)}, \
        problem_type="single_label_classification")
        model = PeftModel.from_pretrained(base, "peft")

        """)
    let arguments = ["--text", "the film was great", "--scores"]
    let read = try desk.ptune(["predict", "--adapter", "peft"] + arguments)
    #expect(read.errors == "")
    #expect(try read.output == desk.ptune(["predict", "--adapter", "out/adapter"] + arguments).output)
    let document = try desk.ptune("export", "out/adapter", "--output", "peft", "--json").document()
    #expect(
      document.objectValue?.keys == [
        "output", "base_model", "peft_type", "task_type", "model_class", "tasks", "num_labels",
        "problem_type", "ignore_mismatched_sizes", "tensors",
      ])
    #expect(document["peft_type"] == "PREFIX_TUNING" && document["num_labels"] == 2)
  }

  @Test("what PEFT cannot express fails with the reason")
  func refused() throws {
    let desk = try trained("adapter.depth=2")
    let result = try desk.ptune("export", "out/adapter", "--output", "peft")
    #expect(result.status == 1 && result.output == "")
    #expect(
      result.errors == """
        error: PEFT cannot express out/adapter: 'depth' of p-tuning-v2 is 2, and there it is 0
        help: train with --set adapter.depth=0

        """)
    #expect(!FileSystem.exists("\(desk.folder)/peft"))
    #expect(try desk.ptune("export", "out/adapter", "--output", "peft", "--task", "mood").status == 1)
    #expect(try desk.ptune("export", "out/adapter").status == 2)
  }
}
