import PTune
import PTuneComposition
import PTuneEngine
import PTuneTerminal

/// Whether a base model's weights are what it says they are: its word table, its sites, its scores of the vocabulary.
extension BaseModelConformance {
  /// Rows of the word table, injected as a prompt, have to act as the tokens that they stand for.
  func wordTable(_ folder: String) -> ConformanceCheck {
    ConformanceCheck("its word table holds the rows that its forward pass starts from") {
      let plain = try model(folder)
      guard let facts = plain.facts else { return .failed("it states no facts") }
      let tokens: [Int32] = [3, 1, 4, 1, 5].map { $0 % Int32(facts.vocabularySize) }
      let hidden = try plain.hiddenRows(PackedBatch([.init(tokens: tokens)], training: false)).values
      let model = Model.forTesting(threads: 1)
      try bench.useBase(choice, folder: folder, in: model)
      try model.useTwinAdapter {
        // As adapters read them, with the scale of words, which injected rows are not given.
        let rows = try Base.wordRows(Array(tokens.prefix(2)))
        return try TwinAdapter(positions: 2, parameters: []) { _, _, injections in
          try injections.input(.constant(rows, rows: 2, columns: facts.hiddenSize), at: .start)
        }
      }
      let injected = try model.hiddenRows(
        PackedBatch([.init(tokens: Array(tokens.dropFirst(2)))], training: false))
      let size = facts.hiddenSize
      let text = injected.textRows.flatMap { injected.values[Int($0) * size..<(Int($0) + 1) * size] }
      let difference = largestDifference(Array(hidden.dropFirst(2 * size)), Array(text))
      return .when(
        difference < 1e-3,
        difference < 1e-3
          ? "rows of two tokens, injected, act as the tokens"
          : "rows of two tokens, injected, act otherwise than the tokens: hidden rows apart by \(NumberText.significant(Double(difference)))"
      )
    }
  }

  func sites(_ folder: String) -> ConformanceCheck {
    ConformanceCheck("each of its sites is a layer that its forward pass uses") {
      let (gradients, sites) = try siteGradients(folder, lengths: [5, 2, 7])
      guard !sites.isEmpty else { return .skipped("it declares none") }
      if let layers = try model(folder).facts?.layers,
        let site = sites.first(where: { !(0..<layers).contains($0.layer) })
      {
        return .failed("'\(site.name)' is said to belong to layer \(site.layer) of \(layers)")
      }
      if let dead = sites.indices.first(where: { gradients[$0] == 0 }) {
        return .failed(
          "'\(sites[dead].name)' is used by no `linear` of the forward pass: adapters attached there do nothing"
        )
      }
      return .passed("\(sites.count) sites")
    }
  }

  /// A single token looks at itself alone, whatever its query and its key are.
  func siteRoles(_ folder: String) -> ConformanceCheck {
    ConformanceCheck("its sites have the roles that it says") {
      let (gradients, sites) = try siteGradients(folder, lengths: [1])
      guard !sites.isEmpty else { return .skipped("it declares none") }
      // Rounding leaves a little of what a softmax over one key cancels.
      let least = 1e-4 * (gradients.max() ?? 0)
      for (gradient, site) in zip(gradients, sites) {
        let isIdle = site.roles.isSubset(of: [.query, .key]) && !site.roles.isEmpty
        if isIdle != (gradient < least) {
          return .failed(
            isIdle
              ? "'\(site.name)' is said to make queries or keys, but changes what a single token becomes"
              : "'\(site.name)' changes nothing of what a single token becomes, as only queries and keys do")
        }
      }
      return .passed("\(sites.count) sites")
    }
  }

  /// The norm of the gradient of a factor on each site's outputs.
  private func siteGradients(_ folder: String, lengths: [Int]) throws -> (norms: [Double], sites: [Site]) {
    let model = Model.forTesting(threads: 1)
    try bench.useBase(choice, folder: folder, in: model)
    var sites: [Site] = []
    try model.useTwinAdapter {
      sites = Site.all
      return try TwinAdapter(parameters: sites.map { [1, $0.outputs] }) { factors, _, injections in
        for (site, factor) in zip(sites, factors) {
          try injections.scale(outputsOf: site, by: factor.affine(scale: 1, shift: 1))
        }
      }
    }
    try model.useTwinHead()
    if sites.isEmpty { return ([], []) }
    _ = try model.differentiate(
      .forTesting(lengths: lengths, vocabulary: model.facts?.vocabularySize ?? 2, training: false))
    let norms = model.parameters.filter { $0.owner == ParameterOwner.adapter }.map { parameter in
      parameter.gradientArray.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
    return (norms, sites)
  }

  func vocabulary(_ folder: String) -> ConformanceCheck {
    ConformanceCheck("it scores its vocabulary as its output layer does") {
      let model = try model(folder)
      guard let facts = model.facts else { return .failed("it states no facts") }
      let batch = PackedBatch(
        [.init(tokens: [3, 1, 4, 1, 5].map { $0 % Int32(facts.vocabularySize) })], training: false)
      let scores: [Float]
      do {
        scores = try model.vocabularyScores(batch)
      } catch let refusal as EngineFailure {
        return .skipped(refusal.reason)
      }
      guard scores.count == batch.tokens.count * facts.vocabularySize else {
        return .failed(
          "\(scores.count) scores for \(batch.tokens.count) rows of \(facts.vocabularySize) tokens")
      }
      guard scores.allSatisfy(\.isFinite) else { return .failed("some scores are not finite") }
      guard let table = try outputTable(folder, facts) else {
        return .passed("finite; its config.json scales them")
      }
      let hidden = try model.hiddenRows(batch).values
      guard let scale = Self.slope(of: scores, over: table, hidden, facts) else {
        return .passed("finite; what makes them is more than one product, which only --parity can compare")
      }
      return .when(
        abs(scale - 1) < 1e-3,
        "\(NumberText.significant(scale)) times the product of its hidden rows with its output layer")
    }
  }

  /// The matrix `[vocabulary, hidden]` that most checkpoints score tokens with: `lm_head.weight`, or the word embeddings.
  /// Nil for a model whose config.json says that it scales its scores.
  private func outputTable(_ folder: String, _ facts: BaseFacts) throws -> [Float]? {
    let checkpoint = try ModelCheckpoint(folder: folder)
    let scaling = ["logit_scale", "logits_scaling", "final_logit_softcapping"]
    guard scaling.allSatisfy({ checkpoint.configuration($0) == nil }) else { return nil }
    let shape = [facts.vocabularySize, facts.hiddenSize]
    if checkpoint.hasWeight("lm_head.weight"), let weight = try checkpoint.weight("lm_head.weight"),
      weight.shape == shape
    {
      return Array(weight.values)
    }
    let model = Model.forTesting(threads: 1)
    try bench.useBase(choice, folder: folder, in: model)
    var table: [Float] = []
    try model.useTwinAdapter {
      table = try Base.wordRows((0..<Int32(facts.vocabularySize)).map { $0 })
      return try TwinAdapter(parameters: []) { _, _, _ in }
    }
    // The output layer shares the table, not the scale of words where they enter.
    let scale = model.wordScale
    return table.map { $0 / scale }
  }

  /// How many tokens are compared.
  private static let mostTokens = 512

  /// The factor between scores and the products of hidden rows with a table; nil where they are no multiples.
  private static func slope(of scores: [Float], over table: [Float], _ hidden: [Float], _ facts: BaseFacts)
    -> Double?
  {
    var (both, product, square) = (0.0, 0.0, 0.0)
    let size = facts.hiddenSize
    for row in 0..<hidden.count / size {
      for token in 0..<min(facts.vocabularySize, mostTokens) {
        var sum = 0.0
        for column in 0..<size {
          sum += Double(hidden[row * size + column]) * Double(table[token * size + column])
        }
        let score = Double(scores[row * facts.vocabularySize + token])
        both += score * sum
        product += sum * sum
        square += score * score
      }
    }
    guard product > 0, square > 0, both * both / (product * square) > 0.9999 else { return nil }
    return both / product
  }

  func pooler(_ folder: String) -> ConformanceCheck {
    ConformanceCheck("its pooling layer gives a row for each row") {
      let model = try model(folder)
      let size = model.facts?.hiddenSize ?? 0
      let batch = try batch(model)
      let rows: [Float]
      do {
        rows = try model.pooledRows(batch)
      } catch let refusal as EngineFailure {
        return .skipped(refusal.reason)
      }
      guard rows.count == batch.tokens.count * size, rows.allSatisfy(\.isFinite) else {
        return .failed(
          "\(rows.count) numbers for \(batch.tokens.count) rows of \(size), or some that are not finite")
      }
      return .passed("\(batch.tokens.count) rows")
    }
  }
}
