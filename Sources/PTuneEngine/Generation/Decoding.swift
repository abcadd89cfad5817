import CPTune
import PTune

/// Texts that a causal base model, with or without an adapter, goes on with token by token.
///
/// The keys and values of every row are kept, so a step computes one row a text. What an adapter adds is asked for
/// once a text, when it begins; what it adds to all texts alike is computed once for all of them.
public final class Decoding {
  private let model: Model
  private let facts: BaseFacts
  /// What all texts see; nil before the first one.
  private var shared: KeyValueCache?
  /// Rows of the prompt at the input that all texts share.
  private var sharedRows = 0
  /// The task of all texts, on which what they share may depend.
  private var task: Int32?
  /// What the adapter attaches to the base model's linear layers, for all texts and all of their tokens.
  private var sites: [Int: FrozenSite] = [:]
  private let rotaryTables = RotaryTables(step: 256)

  /// A text at work. Its memory goes with the last reference to it.
  public final class Text {
    let cache: KeyValueCache
    /// The position of its next token.
    public fileprivate(set) var position: Int

    fileprivate init(cache: KeyValueCache, position: Int) { (self.cache, self.position) = (cache, position) }

    /// Bytes of its keys and values.
    public var cacheBytes: Int { cache.bytes }
  }

  /// Texts for this model.
  ///
  /// - Throws: ``EngineFailure`` for a base model that is not causal.
  public init(_ model: Model) throws {
    guard let facts = model.facts, facts.causal else {
      throw EngineFailure(
        component: model.identities.base?.component ?? "the base model",
        plugin: model.identities.base?.plugin, method: "forward",
        reason: "it is not a causal model: its tokens see those after them, so it cannot continue a text",
        status: ptune_status(PTUNE_UNSUPPORTED))
    }
    (self.model, self.facts) = (model, facts)
  }

  /// Reads texts, each of at least one token, and all of the task of the first one.
  ///
  /// - Returns: the texts, and for each the scores of every token of the vocabulary to be the next one.
  /// - Throws: ``EngineFailure`` for a text that is too long, for a base model without scores of its vocabulary, or for
  ///   an adapter whose rows have no place in a text that grows.
  public func begin(_ sequences: [PackedBatch.Sequence]) throws -> (texts: [Text], scores: [[Float]]) {
    guard !sequences.isEmpty else { return ([], []) }
    let task = task ?? sequences[0].task
    precondition(sequences.allSatisfy { !$0.tokens.isEmpty && $0.task == task })
    self.task = task
    return try model.session.scoped {
      model.session.machine.isTraining = false
      let batch = PackedBatch(sequences, training: false)
      var injections = try model.inject(batch)
      try check(injections)
      let isFirst = shared == nil
      if isFirst { sites = try injections.frozenSites(model.session) }
      injections.sites = frozenSites
      if !isFirst { injections = injections.withoutShared(rows: sharedRows) }
      let layout = Layout(batch, injections, causal: true)
      let pass = ForwardPass(
        batch: batch, injections: injections, layout: layout, history: PassHistory(shared: shared),
        rotaryTables: rotaryTables)
      let common = shared ?? newCache()
      let texts = layout.sequences.map {
        Text(cache: newCache(), position: Int(layout.positions[Int($0.upperBound) - 1]) + 1)
      }
      let scores = try compute(pass) { left in
        if isFirst { common.append(left.shared, left) }
        for (text, keys) in zip(texts, left.sequences) {
          text.cache.append(keys, left)
        }
      }
      if isFirst { (shared, sharedRows) = (common, layout.shared.count) }
      return (texts, scores)
    }
  }

  /// Appends a token to each of some texts.
  ///
  /// - Returns: for each the scores of every token of the vocabulary to be the next one.
  /// - Throws: ``EngineFailure`` for a text at its last position.
  public func extend(_ steps: [(text: Text, token: Int32)]) throws -> [[Float]] {
    guard !steps.isEmpty else { return [] }
    return try model.session.scoped {
      model.session.machine.isTraining = false
      let batch = PackedBatch(steps.map { PackedBatch.Sequence(tokens: [$0.token]) }, training: false)
      let injections = InjectionSet(batch: batch)
      injections.sites = frozenSites
      let pass = ForwardPass(
        batch: batch, injections: injections,
        layout: Layout(continuing: batch, positions: steps.map { Int32($0.text.position) }),
        history: PassHistory(shared: shared, sequences: steps.map(\.text.cache)), rotaryTables: rotaryTables)
      let scores = try compute(pass) { left in
        for (step, keys) in zip(steps, left.sequences) {
          step.text.cache.append(keys, left)
        }
      }
      for step in steps { step.text.position += 1 }
      return scores
    }
  }

  /// What is attached to sites, in the scope in progress.
  private var frozenSites: [Int: SiteInjection] { sites.mapValues { $0.injection(model.session) } }

  private func newCache() -> KeyValueCache {
    KeyValueCache(layers: facts.layers, columns: facts.keyValueSize)
  }

  /// A text that grows has no middle to put rows at.
  private func check(_ injections: InjectionSet) throws {
    guard injections.inputs.contains(where: { $0.placement == .middle }) else { return }
    let adapter = model.identities.adapter
    throw EngineFailure(
      component: adapter?.component ?? "the adapter", plugin: adapter?.plugin, method: "inject",
      reason:
        "its rows are in the middle of the text, which moves with every generated token; generation needs "
        + "adapters with rows at the start, after the first token or in a template",
      status: ptune_status(PTUNE_UNSUPPORTED))
  }

  /// What a layer of a pass leaves, with the values of its sources.
  fileprivate struct LayerLeft {
    let layer: Int
    let shared: [AttentionSegment.Keys]
    let sequences: [[AttentionSegment.Keys]]
    let places: KeyPlaces
    /// In turn keys and values of each source.
    let values: ArraySlice<UnsafeBufferPointer<Float>>
  }

  /// Computes the scores of the token after each sequence, and shows what each layer leaves to `store`.
  private func compute(_ pass: ForwardPass, store: (LayerLeft) -> Void) throws -> [[Float]] {
    let session = model.session
    let hidden = try model.run(pass)
    let scores = try model.ask("vocabulary_scores") {
      try $0.vocabularyScores(hidden.rows(at: pass.layout.sequences.map { $0.upperBound - 1 }))
    }
    let layers = try (0..<facts.layers).map { layer in
      guard let left = pass.keysLeft(layer) else {
        throw EngineFailure(
          component: model.identities.base?.component ?? "the base model",
          plugin: model.identities.base?.plugin, method: "forward",
          reason: "it did not call key_rows and attention for layer \(layer)",
          status: ptune_status(PTUNE_FAILED))
      }
      return left
    }
    guard let scores else { return [] }
    return try session.evaluate([scores] + layers.flatMap(\.sources)) { values in
      var begin = 1
      for (layer, left) in layers.enumerated() {
        let end = begin + left.sources.count
        store(
          LayerLeft(
            layer: layer, shared: left.shared, sequences: left.sequences, places: left.places,
            values: values[begin..<end]))
        begin = end
      }
      return (0..<scores.rows).map {
        Array(values[0][$0 * scores.columns..<($0 + 1) * scores.columns])
      }
    }
  }
}

extension KeyValueCache {
  /// Appends ranges of rows of what a layer leaves.
  fileprivate func append(_ ranges: [AttentionSegment.Keys], _ left: Decoding.LayerLeft) {
    for range in ranges where !range.rows.isEmpty {
      let source = left.values.startIndex + 2 * Int(range.source)
      guard let keys = left.values[source].baseAddress, let values = left.values[source + 1].baseAddress
      else { continue }
      let (places, injected) = left.places.rows(range.rows, of: range.source)
      append(
        layer: left.layer, rows: range.rows.count, keys: keys + Int(range.rows.lowerBound) * columns,
        values: values + Int(range.rows.lowerBound) * columns, places: places, injected: injected)
    }
  }
}
