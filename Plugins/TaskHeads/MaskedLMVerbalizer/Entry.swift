import CPTune
import PTune

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.masked-lm-verbalizer", version: Release.version) {
    [
      .taskHead(
        "masked-lm-verbalizer", summary: "one label per text, by the word that fills the template's mask",
        documentation: """
          Uses the base model's own masked-language-model head to predict which word fills the `{mask}` of the task's template \
          (Schick & Schütze 2021, https://arxiv.org/abs/2001.07676), and trains nothing of its own. The data \
          section needs a template with one `{mask}`, such as `template: "{text} It was {mask}."`, and the \
          checkpoint its masked language model's head: one saved without it is refused.

          `words` says which words stand for each label: `["positive=great,good", "negative=terrible,bad"]`. A \
          label's score is the mean over its words, and a word's the mean over its pieces at the mask, as \
          OpenPrompt's ManualVerbalizer has it; with `pieces: first` it is that of its first piece. Loss and \
          probabilities are the softmax over the labels. Whether scores are taken before or after the softmax \
          over the vocabulary makes no difference to it.

          A word is tokenised as it would stand in the template. In `It was {mask}.` a blank stands in front of \
          it, so a byte-pair encoding's piece is ` great`, with its space; in `({mask})` it is `great` without. \
          Words are given without blanks around them, in the letter case that the text would have.

          `class_weights` and `label_smoothing`, and the metrics accuracy, f1_macro, mcc and majority_class, are \
          those of sequence-classification.
          """,
        .texts(
          "labels", default: [],
          "the labels; by default those of the training data: numbers ascending, names as the base model orders them, else sorted"
        ),
        .texts("words", "the words that stand for each label, as label=word,word"),
        .choice(
          "pieces", default: Verbalizer.Pieces.mean,
          "which pieces of a word count: the mean of all, or the first"),
        .texts("class_weights", default: [], "how much a label counts in the loss, as label=weight"),
        .number(
          "label_smoothing", default: 0, in: 0...0.99, "share of the target spread over all labels"),
        make: MaskedLMVerbalizer.init)
    ]
  }
}
