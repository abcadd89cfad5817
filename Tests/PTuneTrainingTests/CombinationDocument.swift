/// Docs/combinations.md: which plugins go together, as the composer decides it.
struct CombinationDocument {
  let text: String

  init() {
    var reasons: [String] = []
    func table(_ title: String, _ columns: [String], _ rows: [(String, [Combinations.Cell])]) -> String {
      let lines = rows.map { name, cells in
        let marks = cells.map { cell -> String in
          guard let reason = Combinations.refusals[cell] else { return "yes" }
          if !reasons.contains(reason) { reasons.append(reason) }
          return "no [\(1 + (reasons.firstIndex(of: reason) ?? 0))]"
        }
        return "| \(name) | \(marks.joined(separator: " | ")) |"
      }
      let head = [
        "| \(title) | \(columns.joined(separator: " | ")) |", "|---|" + columns.map { _ in "---|" }.joined(),
      ]
      return (head + lines).joined(separator: "\n")
    }
    let bases = Combinations.bases.map { "`\($0.name)`" }
    let onBases = Combinations.headsOnBases
    let heads = table(
      "head", bases,
      Combinations.heads.indices.map { head in (Combinations.heads[head].name, onBases.map { $0[head] }) })
    let methods = Combinations.methods.map(\.name)
    let withHeads = table(
      "adapter", Combinations.heads.map(\.name), Array(zip(methods, Combinations.methodsWithHeads)))
    let methodsOnBases = table("adapter", bases, Array(zip(methods, Combinations.methodsOnBases)))
    let list = reasons.enumerated().map { "\($0.offset + 1). \($0.element)" }.joined(separator: "\n")
    text = """
      # What works together

      Written by `Scripts/generate/combinations` from the available plugins; do not edit. *yes*: on a tiny model, some steps
      of training lower the loss and change the adapter, and the saved adapter gives the same scores, bit for bit. *no*: the
      run is refused before it starts, with the reason below. The tests try each cell, and that a combination of base model,
      adapter and head is refused exactly where a table here refuses two of them. An adapter that uses a selector is listed
      with each.

      Some settings of these plugins do not work together: `ptune describe NAME` says what a plugin refuses, such as
      `pooling: cls` or `placement: end` on a causal model.

      ## Heads on base models

      \(heads)

      ## Adapters with heads

      Each head on the first base model above that works with it.

      \(withHeads)

      ## Adapters on base models

      With the head `sequence-classification`.

      \(methodsOnBases)

      ## Reasons

      \(list)

      """
  }
}
