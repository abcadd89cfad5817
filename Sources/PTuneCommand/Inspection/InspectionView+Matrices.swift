import PTuneAdapters
import PTuneComposition
import PTuneTerminal

/// The parts that compare: how much things are alike, where attention goes, which entries are used.
extension InspectionView {
  /// More rows and columns of similarities than this nobody reads on a terminal.
  private static let matrixLimit = 12

  func show(_ similarity: [[Double]], names: [String]) {
    var table = TextTable([""] + names, alignments: Array(repeating: .trailing, count: names.count + 1))
    for (name, row) in zip(names, similarity) { table.add([name] + row.map { NumberText.fixed($0, 2) }) }
    let isShown = names.count <= Self.matrixLimit && table.width <= width
    if isShown { Output.print(table) }
    var pairs: [(a: Int, b: Int, cosine: Double)] = []
    for a in similarity.indices {
      for b in similarity.indices where b > a { pairs.append((a, b, similarity[a][b])) }
    }
    guard let nearest = pairs.max(by: { $0.cosine < $1.cosine }),
      let farthest = pairs.min(by: { $0.cosine < $1.cosine })
    else { return }
    let mean = pairs.reduce(0) { $0 + $1.cosine } / Double(pairs.count)
    func text(_ pair: (a: Int, b: Int, cosine: Double)) -> String {
      "\(names[pair.a]) and \(names[pair.b]) (\(NumberText.fixed(pair.cosine, 2)))"
    }
    Output.print(
      wrapped(
        "Two different ones: \(NumberText.fixed(mean, 2)) on average; the most similar are \(text(nearest))"
          + (pairs.count > 1 ? ", the least \(text(farthest))." : ".")
          + (isShown ? "" : " --html and --json have all of them.")))
  }

  func show(_ attention: AttentionInspection) {
    title("Attention to the prompt, averaged over \(attention.tokens.count) tokens of the text")
    let heads = attention.layers.first?.heads.count ?? 0
    func percent(_ share: Double) -> String { NumberText.fixed(share * 100, 1) }
    var table = TextTable(
      ["LAYER", "ALL %"] + (0..<heads).map { "HEAD \($0)" },
      alignments: Array(repeating: .trailing, count: heads + 2))
    for layer in attention.layers {
      table.add(["\(layer.layer)", percent(layer.mean)] + layer.heads.map(percent))
    }
    if table.width > width {
      table = TextTable(
        ["LAYER", "ALL %", "LEAST HEAD", "MOST HEAD"], alignments: Array(repeating: .trailing, count: 4))
      for layer in attention.layers {
        func head(_ place: Int?) -> String {
          place.map { "\(percent(layer.heads[$0])) (\($0))" } ?? ""
        }
        let order = layer.heads.indices.sorted { layer.heads[$0] < layer.heads[$1] }
        table.add("\(layer.layer)", percent(layer.mean), head(order.first), head(order.last))
      }
    }
    Output.print(table)
    let words = attention.tokens.indices.map { token -> String in
      let shares = attention.layers.map { $0.tokens[token] }
      let mean = shares.reduce(0, +) / Double(max(1, shares.count))
      return "\(Self.visible(attention.tokens[token])) \(percent(mean))"
    }
    Output.print("\n" + wrapped("By token, over all layers: \(words.joined(separator: "  "))"))
  }

  func show(_ selection: SelectionStatistics) {
    title("The pool's mean weights, over all rows and over those of each label")
    let groups =
      [("ALL", selection.all)] + selection.labels.filter { $0.group.examples > 0 }.map { ($0.name, $0.group) }
    let headers = groups.map { "\($0.0) (\(NumberText.grouped($0.1.examples)))" }
    var table = TextTable(
      ["ENTRY"] + headers, alignments: Array(repeating: .trailing, count: headers.count + 1))
    for entry in selection.all.meanWeights.indices {
      table.add(["\(entry)"] + groups.map { NumberText.fixed($0.1.meanWeights[entry], 4) })
    }
    Output.print(table)
  }
}
