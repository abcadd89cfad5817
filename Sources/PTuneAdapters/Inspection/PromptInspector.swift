import PTuneComposition
import PTuneEngine
import PTuneText

/// Looks at the virtual tokens of a trained adapter on its base model.
public struct PromptInspector {
  private let composition: Composition
  /// How many tokens of the vocabulary are named for each virtual one.
  private let nearest: Int

  /// - Parameter nearest: how many tokens of the vocabulary are named for each virtual one.
  public init(_ run: AdapterRun, nearest: Int) { self.init(run.composition, nearest: nearest) }

  init(_ composition: Composition, nearest: Int) {
    (self.composition, self.nearest) = (composition, nearest)
  }

  /// The virtual tokens of each adapter, as a task has them; empty where no adapter has any.
  ///
  /// - Throws: `EngineFailure`.
  public func prompts(task: Int) throws -> [PromptInspection] {
    try composition.adapters.indices.flatMap { adapter -> [PromptInspection] in
      if let pool = try pool(adapter, task: task) { return [pool] }
      let rows = try rows(adapter, task: task)
      return [try input(rows, adapter), try hidden(rows, adapter), keysAndValues(rows, adapter)].compactMap {
        $0
      }
    }
  }

  /// How much the prompts of the tasks are alike: cosines, `[tasks][tasks]`; nil where all have the same prompt, or where
  /// it depends on the text.
  ///
  /// - Throws: `EngineFailure`.
  public func taskSimilarity() throws -> [[Double]]? {
    guard composition.tasks.count > 1, !composition.model.asksSelector else { return nil }
    let prompts = try composition.tasks.indices.map { task in
      try composition.adapters.indices.flatMap { adapter in
        try rows(adapter, task: task).flatMap { $0.rows.flatMap { $0 } }
      }
    }
    guard prompts.contains(where: { $0 != prompts[0] }), Set(prompts.map(\.count)).count == 1 else {
      return nil
    }
    return cosines(prompts)
  }

  private func rows(_ adapter: Int, task: Int) throws -> [PromptRows] {
    let template = composition.tasks[task].data.template?.value
    return try composition.model.promptRows(
      of: adapter, task: task,
      marks: template.map { $0.virtualTokens ?? composition.model.adapterPositions } ?? 0)
  }

  private func name(_ adapter: Int) -> String { composition.adapters[adapter].plugin }

  // MARK: - Prompts

  private func input(_ rows: [PromptRows], _ adapter: Int) throws -> PromptInspection? {
    let found = rows.filter { $0.place == .input }
    let vectors = found.flatMap(\.rows)
    guard !vectors.isEmpty else { return nil }
    let (tokens, norm) = try tokens(vectors, in: .input)
    return PromptInspection(
      adapter: name(adapter), kind: .input, tokens: tokens, entryLength: 1, layers: [], vocabularyNorm: norm,
      similarity: cosines(vectors), note: note(found))
  }

  private func hidden(_ rows: [PromptRows], _ adapter: Int) throws -> PromptInspection? {
    let layers = Self.layers(rows) { if case .layer(let layer) = $0 { (layer, "rows") } else { nil } }
    guard let lowest = layers.first else { return nil }
    let vectors = Self.joined(layers)
    var (tokens, norm) = (vectors.map { PromptInspection.Token(norm: PTuneAdapters.norm($0)) }, Double?.none)
    var notes = [note(rows)].compactMap { $0 }
    if lowest.layer == 0 {
      let near: [PromptInspection.Token]
      (near, norm) = try self.tokens(lowest.parts[0].rows, in: .firstLayer)
      for index in tokens.indices where index < near.count { tokens[index].near = near[index].near }
      notes.append(
        "nearest: rows at layer 0 compared with its inputs for tokens that stand alone")
    } else {
      notes.append("there is no row at layer 0, where it could be compared with tokens of the vocabulary")
    }
    return PromptInspection(
      adapter: name(adapter), kind: .hidden, tokens: tokens, entryLength: 1,
      layers: layers.map(Self.summary), vocabularyNorm: norm, similarity: cosines(vectors),
      note: notes.joined(separator: "; "))
  }

  private func keysAndValues(_ rows: [PromptRows], _ adapter: Int) -> PromptInspection? {
    let layers = Self.layers(rows) { place in
      switch place {
      case .keys(let layer): (layer, "keys")
      case .values(let layer): (layer, "values")
      default: nil
      }
    }
    guard !layers.isEmpty else { return nil }
    let vectors = Self.joined(layers)
    let reason =
      "keys and values of a layer are not in the space of words, so there are no nearest ones"
    return PromptInspection(
      adapter: name(adapter), kind: .keysAndValues,
      tokens: vectors.map { PromptInspection.Token(norm: norm($0)) }, entryLength: 1,
      layers: layers.map(Self.summary), vocabularyNorm: nil, similarity: cosines(vectors),
      note: ([note(rows)].compactMap { $0 } + [reason]).joined(separator: "; "))
  }

  private func note(_ rows: [PromptRows]) -> String? {
    rows.contains { $0.isPerText } ? "each text has its own rows; these are those of token 0 alone" : nil
  }

  /// The rows at each layer, part by part.
  private typealias LayerRows = (layer: Int, parts: [(name: String, rows: [[Float]])])

  private static func layers(
    _ rows: [PromptRows], _ part: (PromptRows.Place) -> (layer: Int, name: String)?
  ) -> [LayerRows] {
    var layers: [Int: [(name: String, rows: [[Float]])]] = [:]
    for row in rows {
      guard let (layer, name) = part(row.place) else { continue }
      let index = layers[layer, default: []].firstIndex { $0.name == name }
      if let index {
        layers[layer]?[index].rows += row.rows
      } else {
        layers[layer, default: []].append((name, row.rows))
      }
    }
    return layers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Each virtual token with its parts at all layers end to end.
  private static func joined(_ layers: [LayerRows]) -> [[Float]] {
    let parts = layers.flatMap(\.parts)
    return (0..<(parts.map(\.rows.count).max() ?? 0)).map { token in
      parts.flatMap { token < $0.rows.count ? $0.rows[token] : [] }
    }
  }

  private static func summary(_ layer: LayerRows) -> PromptInspection.Layer {
    PromptInspection.Layer(
      layer: layer.layer,
      norms: layer.parts.map { part in
        (part.name, part.rows.reduce(0.0) { $0 + norm($1) } / Double(max(1, part.rows.count)))
      })
  }

  private func tokens(
    _ rows: [[Float]], in space: VocabularySpace
  ) throws -> (tokens: [PromptInspection.Token], vocabularyNorm: Double?) {
    guard nearest > 0 else { return (rows.map { PromptInspection.Token(norm: norm($0)) }, nil) }
    let (near, length) = try composition.model.nearestTokens(to: rows, in: space, count: nearest)
    let tokens = zip(rows, near).map { row, near in
      PromptInspection.Token(
        norm: norm(row),
        near: near.map {
          .init(id: $0.id, token: composition.tokenizer.token(Int32($0.id)) ?? "#\($0.id)", cosine: $0.cosine)
        })
    }
    return (tokens, length)
  }

  // MARK: - Pools

  /// The entries of an adapter's pool, with those that are the task's own; nil for an adapter without.
  private func pool(_ adapter: Int, task: Int) throws -> PromptInspection? {
    let saved = try TrainedAdapter(composition, adapter)
    guard let entries = saved.poolEntries(task: composition.tasks[task].name),
      let width = composition.model.facts?.hiddenSize
    else { return nil }
    let rows = entries.flatMap { $0 }
    // At layers a row has a part for each of them, the lowest first.
    let isAtLayers = (rows.first?.count ?? 0) > width
    let compared = isAtLayers ? rows.map { Array($0.prefix(width)) } : rows
    var (tokens, norm) = try tokens(compared, in: isAtLayers ? .firstLayer : .input)
    var layers: [PromptInspection.Layer] = []
    if isAtLayers {
      tokens = zip(rows, tokens).map { .init(norm: PTuneAdapters.norm($0), near: $1.near) }
      layers = (0..<rows[0].count / width).map { layer in
        let parts = rows.map { Array($0[layer * width..<(layer + 1) * width]) }
        return Self.summary((layer, [("rows", parts)]))
      }
    }
    return PromptInspection(
      adapter: name(adapter), kind: .pool, tokens: tokens, entryLength: entries.first?.count ?? 1,
      layers: layers, vocabularyNorm: norm, similarity: cosines(entries.map { $0.flatMap { $0 } }),
      note: isAtLayers
        ? "nearest: rows at layer 0 compared with its inputs for tokens that stand alone"
        : nil)
  }
}
