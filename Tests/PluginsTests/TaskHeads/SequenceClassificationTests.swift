import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneComposition

@Suite("Sequence classification") struct SequenceClassificationTests {
  @Test(
    "class weights that name no label, or are no weights, are refused",
    arguments: [
      ("other=2", "class_weights: 'other' is not one of yes, a=b"),
      ("yes=0", "class_weights: 'yes=0' is not label=weight with a weight above 0"),
      ("yes", "class_weights: 'yes' is not label=weight with a weight above 0"),
      ("a=b=", "class_weights: 'a=b=' is not label=weight with a weight above 0"),
      ("a=b=2", nil),
    ] as [(String, String?)])
  func classWeights(weight: String, reason: String?) throws {
    func compose() throws {
      _ = try Workbench.compose(
        checkpoint: "tiny-bert",
        adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
        head: ComponentChoice(
          plugin: "sequence-classification",
          hyperparameters: ["labels": .strings(["yes", "a=b"]), "class_weights": .strings([weight])]))
    }
    if let reason {
      let error = #expect(throws: (any Error).self) { try compose() }
      #expect(error.map { "\($0)" }?.contains(reason) == true)
    } else {
      try compose()
    }
  }
}
