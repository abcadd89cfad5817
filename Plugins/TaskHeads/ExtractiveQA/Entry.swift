import CPTune
import PTune

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.extractive-qa", version: Release.version) {
    [
      .taskHead(
        "extractive-qa", summary: "the part of a context that answers a question",
        documentation: """
          Scores each token as the first and as the last of the answer (Devlin et al. 2019, section 4.2): a linear \
          layer makes two numbers of its row. The loss is the mean of two cross-entropies, over the tokens of a \
          sequence, as transformers' *ForQuestionAnswering have it.

          A row has the fields `question` (or `text`), `context` (or `text_pair`) and the label, a JSON object as \
          Hugging Face exports SQuAD: `{"text": ["France"], "answer_start": [159]}`, in characters of the context. \
          Training takes the first answer, metrics the best one. Files of the format `squad` have all of these. A \
          context that is too long is cut into windows that share `doc_stride` tokens. A window that does not hold \
          the whole answer points at its first token, [CLS].

          `no_answer` is SQuAD 2.0: the label may be without answers. The answer is then empty if [CLS] scores \
          more than `null_threshold` above the best answer, in the window where it scores least.

          Predictions: `answer`, cut from the context as it was given, `score` (its two scores added), \
          `probability` among the `n_best`, and its place, `begin` and `end`, in characters (Unicode scalars, as \
          SQuAD counts). Blanks at both ends of an answer are left out. Raw scores are \
          `start_scores` and `end_scores`, the windows of a row end to end. A row of token ids alone has places \
          among its tokens instead of a text.

          Metrics: f1 and exact_match as the official scripts compute them (Rajpurkar et al. 2016, 2018), though \
          not in percent, and with `no_answer` both again over the questions with an answer, and the share of \
          the others that were left without.
          """,
        .integer(
          "doc_stride", default: 128, in: 0...65536,
          "tokens that each window over a long context shares with the one before"),
        .integer("max_answer_length", default: 30, in: 1...65536, "tokens that an answer may have"),
        .integer("n_best", default: 20, in: 1...1000, "how many candidate answers are compared"),
        .flag("no_answer", default: false, "questions may be without an answer, as in SQuAD 2.0"),
        .number(
          "null_threshold", default: 0, in: -1000...1000,
          "how much more than the best answer [CLS] has to score for no answer"),
        .number("dropout", default: 0, in: 0...0.99, "dropout before the linear layer in training"),
        make: ExtractiveQA.init)
    ]
  }
}
