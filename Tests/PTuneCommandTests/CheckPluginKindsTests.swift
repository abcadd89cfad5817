import Foundation
import PTuneFormats
import Testing

/// Faults of heads and base models: the C template of each kind, with a line changed.
@Suite("ptune check-plugin finds faults of heads and base models")
struct CheckPluginKindsTests {
  private let desk: Desk

  init() throws { desk = try Desk() }

  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What of the template becomes what.
    let changes: [(String, String)]
    let check, detail: String
  }

  /// The results of the checks that failed, by their titles.
  private func failures(_ kind: String, _ changes: [(String, String)]) throws -> [String: String] {
    let made = try desk.ptune("new-plugin", "my-part", "--kind", kind, "--language", "c")
    try #require(made.status == 0, "\(made.errors)")
    var source = try desk.text("my-part/my_part.c")
    for (old, new) in changes {
      try #require(source.contains(old), "the template has no longer: \(old)")
      source = source.replacing(old, with: new)
    }
    try desk.write("my-part/my_part.c", source)
    let built = try desk.shell(
      "umask 022; cd my-part && make 2>&1 && python3 tests/parity.py >tests/parity.json")
    try #require(built.status == 0, "\(built.output)")
    let model = kind == "base-model" ? ["--model", "my-part/tests/tiny-model"] : []
    let outcome = try desk.ptune(["check-plugin", "--json", "my-part/libptune_my_part.so"] + model)
    let checks = (try outcome.document()["parts"]?.arrayValue ?? []).flatMap {
      $0["checks"]?.arrayValue ?? []
    }
    let failed = checks.filter { $0["outcome"]?.stringValue == "failed" }
    #expect((outcome.status == 1) == !failed.isEmpty)
    return failed.reduce(into: [:]) {
      $0[$1["check"]?.stringValue ?? ""] = $1["detail"]?.stringValue ?? ""
    }
  }

  @Test(
    "a fault of a head",
    arguments: [
      Fault(
        testDescription: "labels off by one in predict",
        changes: [("labels[best(scores, columns)]", "labels[(best(scores, columns) + 1) % columns]")],
        check: "`predict` reads scores as `encode` writes targets", detail: "a row whose label is"),
      Fault(
        testDescription: "text that is not escaped",
        changes: [(#"if (c == '"' || c == '\\') *end++ = '\\';"#, "")],
        check: "it says what scores mean, in JSON", detail: "the value of 'label' is not JSON"),
      Fault(
        testDescription: "a metric of another direction",
        changes: [("(double)right / (double)count : 0, true)", "(double)right / (double)count : 0, false)")],
        check: "its first metric prefers the right classes to wrong ones", detail: "the lower is better"),
      Fault(
        testDescription: "a metric that is no mean",
        changes: [("(double)right / (double)count : 0", "(double)(right + 1) / (double)(count + 1) : 0")],
        check: "its metrics are of the whole evaluation, in whatever order",
        detail: "with each example twice"),
      Fault(
        testDescription: "a loss that is a sum",
        changes: [
          (
            "return ops->cross_entropy(scores, targets.integers, NULL, 0);",
            "size_t r, c; ops->shape(scores, &r, &c); "
              + "return ops->affine(ops->cross_entropy(scores, targets.integers, NULL, 0), (float)r, 0);"
          )
        ], check: "the loss is a mean: twice the same examples have the same loss", detail: "twice"),
      Fault(
        testDescription: "a prediction that needs the label",
        changes: [
          (
            "(void)call, (void)rows, (void)example;",
            "(void)rows; if (!data->field(example, \"label\")) { host->fail(call, PTUNE_BAD_ARGUMENT, "
              + "\"no label\"); return PTUNE_BAD_ARGUMENT; }"
          )
        ], check: "it predicts rows without a label", detail: "no label"),
      Fault(
        testDescription: "a write into the scores that it is given",
        changes: [
          (
            "(void)call, (void)rows, (void)example;",
            "(void)call, (void)rows, (void)example; ((float *)scores)[0] += 1;"
          )
        ],
        check: "it stays within the host's arrays, and only reads them", detail: "it wrote into 'scores'"),
    ])
  func head(_ fault: Fault) throws {
    let failed = try failures("task-head", fault.changes)
    #expect(failed[fault.check]?.contains(fault.detail) == true, "\(failed)")
  }

  private static let sites = """
    const ptune_sites_v1 *sites = host->interface_for(PTUNE_SITES_V1);
        char site[32];
        snprintf(site, sizeof site, "layers.%zu.value", i);
    """
  private static let loaded = "complete = complete && all[i].query && all[i].key && all[i].value;"

  @Test(
    "a fault of a base model",
    arguments: [
      Fault(
        testDescription: "another word table than the one that it starts from",
        changes: [
          (
            "forwards->input_rows(pass, own->words)",
            "forwards->input_rows(pass, ops->affine(own->words, 2, 0))"
          )
        ],
        check: "its word table holds the rows that its forward pass starts from",
        detail: "act otherwise than the tokens"),
      Fault(
        testDescription: "hidden prefixes that it does not see",
        changes: [("forwards->key_rows(pass, i, x);", "x;")],
        check: "gradients of hidden prefixes of its layers are correct",
        detail: "key_rows was not called"),
      Fault(
        testDescription: "a site that no linear uses",
        changes: [
          (loaded, loaded + sites + "sites->declare(call, all[i].value, site, i, PTUNE_SITE_VALUE);"),
          (
            "forwards->linear(pass, rows, weights->value, NULL, false)",
            "ops->linear(rows, weights->value, NULL, false)"
          ),
        ], check: "each of its sites is a layer that its forward pass uses",
        detail: "'layers.0.value' is used by no `linear`"),
      Fault(
        testDescription: "a site of another role",
        changes: [
          (loaded, loaded + sites + "sites->declare(call, all[i].value, site, i, PTUNE_SITE_QUERY);")
        ],
        check: "its sites have the roles that it says",
        detail: "'layers.0.value' is said to make queries or keys"),
      Fault(
        testDescription: "scores of the vocabulary that are doubled",
        changes: [
          (
            "static const ptune_base_model_v1 methods = {",
            "static ptune_tensor *doubled(void *self, ptune_call *call, const ptune_tensor *rows) { (void)call; "
              + "return ops->affine(ops->linear(rows, ((model *)self)->words, NULL, false), 2, 0); }\n"
              + "static const ptune_base_model_v1 methods = {.vocabulary_scores = doubled,"
          )
        ], check: "it scores its vocabulary as its output layer does", detail: "2.0 times the product"),
    ])
  func base(_ fault: Fault) throws {
    let failed = try failures("base-model", fault.changes)
    #expect(failed[fault.check]?.contains(fault.detail) == true, "\(failed)")
  }

  @Test("a base model without a limit of positions is one of SIZE_MAX")
  func unlimited() throws {
    let failed = try failures("base-model", [(".positions = positions,", ".positions = SIZE_MAX,")])
    #expect(failed.isEmpty, "\(failed)")
  }

  @Test("a base model that nothing can be computed with has failed")
  func nothing() throws {
    let plugins = URL(fileURLWithPath: try Desk.command()).deletingLastPathComponent().path
    let outcome = try desk.ptune("check-plugin", "\(plugins)/libptune_bert.so")
    #expect(outcome.status == 1)
    #expect(
      outcome.output.contains("not run: give a small model of its type with --model FOLDER"),
      "\(outcome.output)")
  }
}
