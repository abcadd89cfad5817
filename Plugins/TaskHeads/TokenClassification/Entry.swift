import CPTune
import PTune

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.token-classification", version: Release.version) {
    [
      .taskHead(
        "token-classification", summary: "a tag per word, and the entities they spell",
        documentation: """
          Scores each token of the text against the tags, with dropout and one linear layer on its own row of the \
          base model's output, wherever virtual tokens stand. The first piece of a word has the word's tag; the \
          other pieces do not count unless `label_all_pieces` is set: then they have the continuing tag, `I-PER` \
          after `B-PER`, if the tags have one.

          A row has the field `label`, a JSON list of tags, and perhaps `words`, a JSON list of the words they \
          belong to; without it the words are the text's, between blanks. Files of the format `conll` have both. \
          Each word is cut into pieces by itself, as transformers does it with `is_split_into_words` and, for \
          byte-level tokenizers, `add_prefix_space`. A row of token ids alone is predicted token by token: `tags`.

          Predictions: `words`, each with its tag, and `entities` with their places, `begin` and `end`, in \
          characters of the text (Unicode scalars, as SQuAD counts).

          Tags are read as seqeval and conlleval do, whether BIO, IOB2 or IOBES.

          Metrics: f1, precision and recall of whole entities, over all texts, as seqeval counts them, and \
          accuracy, the share of words with the right tag. A word that was cut off counts as tagged O.
          """,
        .texts(
          "labels", default: [],
          "the tags; by default those of the training data: numbers ascending, names as the base model orders them, else sorted"
        ),
        .flag("label_all_pieces", default: false, "train on every piece of a word, not only on its first"),
        .number("dropout", default: 0.1, in: 0...0.99, "dropout before the linear layer in training"),
        make: TokenClassification.init)
    ]
  }
}
