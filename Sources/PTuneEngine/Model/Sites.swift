import PTune

/// The linear layers that a base model named.
struct Sites {
  struct Site {
    let name: String
    let layer: Int
    let roles: UInt32
    let inputs: Int
    let outputs: Int
  }

  private(set) var all: [Site] = []
  private var indices: [String: Int] = [:]

  /// Makes a weight a site's; says what is wrong, or nil.
  mutating func declare(_ weight: Weight, _ site: Site) -> String? {
    if weight.isPart { return "it has to be declared with the whole weight, not with a part" }
    if indices[weight.name] != nil || all.contains(where: { $0.name == site.name }) {
      return "it is already declared"
    }
    indices[weight.name] = all.count
    all.append(site)
    return nil
  }

  /// The site that a weight, or the weight that it is a part of, belongs to, and the first of its outputs that it makes.
  func place(of weight: Weight) -> (site: Int, firstOutput: Int)? {
    indices[weight.origin?.name ?? weight.name].map { ($0, weight.origin?.row ?? 0) }
  }
}

/// What adapters attach to a site.
struct SiteInjection {
  /// scale·(x·Aᵀ)·Bᵀ
  struct Delta {
    /// `[r, inputs]`
    var a: Node
    /// `[outputs, r]`
    var b: Node
    let scale: Float
    let dropout: Float
  }

  /// Each `[1, inputs]`.
  var inputFactors: [Node] = []
  var deltas: [Delta] = []
  /// Each `[1, outputs]`.
  var outputFactors: [Node] = []
}

extension ForwardPass {
  /// x·Wᵀ + bias, and what is attached to the weight's site.
  func linear(
    _ x: OpaquePointer?, _ weight: OpaquePointer?, _ bias: OpaquePointer?, _ hasBias: Bool,
    _ recorder: Recorder
  ) -> OpaquePointer? {
    guard !injections.sites.isEmpty, let frozen = recorder.session.weight(weight),
      let place = recorder.session.services.sites.place(of: frozen), let added = injections.sites[place.site]
    else { return recorder.linear(x, weight, bias, hasBias) }
    let outputs = place.firstOutput..<place.firstOutput + frozen.rows
    func scaled(_ x: OpaquePointer?, _ factors: OpaquePointer?) -> OpaquePointer? {
      recorder.binary(BinaryOperation.Function.multiply.rawValue, x, factors)
    }
    let input = added.inputFactors.reduce(x) { scaled($0, recorder.session.handle(for: $1)) }
    let product = recorder.linear(input, weight, bias, hasBias)
    let sum = added.deltas.isEmpty ? product : recorder.add(added.deltas, to: product, outputs)
    return added.outputFactors.reduce(sum) { y, factors in
      let handle = recorder.session.handle(for: factors)
      return scaled(
        y,
        outputs.count == factors.columns ? handle : recorder.slice(handle, outputs.lowerBound, outputs.count))
    }
  }
}

extension Recorder {
  /// A product with frozen weights with low-rank deltas added to it, of which it makes these outputs.
  fileprivate func add(
    _ deltas: [SiteInjection.Delta], to product: OpaquePointer?, _ outputs: Range<Int>
  ) -> OpaquePointer? {
    guard let product = node(product), let x = product.inputs.first,
      let linear = product.operation as? FrozenLinearOperation
    else { return fail("low-rank deltas are for layers with frozen weights and biases") }
    var inputs = [x]
    for delta in deltas {
      var source = session.handle(for: x)
      if delta.dropout > 0 {
        source = keepShape(
          DropoutOperation(probability: delta.dropout, seed: session.generator.next()), source)
      }
      guard let inner = node(self.linear(source, session.handle(for: delta.a), nil, false)) else {
        return nil
      }
      inputs += [inner, delta.b]
    }
    let operation = LowRankLinearOperation(
      linear: linear, scales: deltas.map(\.scale), firstOutput: outputs.lowerBound)
    return add(operation, inputs, rows: product.rows, columns: product.columns)
  }
}

extension InjectionSet {
  /// What is attached to sites, as constants that outlive the scope: for passes that come later.
  func frozenSites(_ session: Session) throws -> [Int: FrozenSite] {
    try sites.mapValues { site in
      func values(_ nodes: [Node]) throws -> [Weight] {
        zip(nodes, try session.evaluate(nodes)).map { node, values in
          let owner = FrozenValues(values)
          return Weight(
            name: "site", rows: node.rows, columns: node.columns, values: owner.start, owner: owner)
        }
      }
      let matrices = try values(
        site.inputFactors + site.deltas.flatMap { [$0.a, $0.b] } + site.outputFactors)
      return FrozenSite(site: site, matrices: matrices)
    }
  }

  private final class FrozenValues {
    let start: UnsafeMutablePointer<Float>
    init(_ values: [Float]) {
      start = .allocate(capacity: max(1, values.count))
      start.initialize(from: values, count: values.count)
    }
    deinit { start.deallocate() }
  }
}

/// What was attached to a site in a pass gone by.
struct FrozenSite {
  private let scales: [Float]
  private let inputFactors, outputFactors: [Weight]
  private let deltas: [(a: Weight, b: Weight)]

  /// - Parameter matrices: the values of its input factors, of A and B of each delta, and of its output factors.
  fileprivate init(site: SiteInjection, matrices: [Weight]) {
    let (first, count) = (site.inputFactors.count, site.deltas.count)
    scales = site.deltas.map(\.scale)
    inputFactors = Array(matrices[..<first])
    deltas = (0..<count).map { (matrices[first + 2 * $0], matrices[first + 2 * $0 + 1]) }
    outputFactors = Array(matrices[(first + 2 * count)...])
  }

  /// The same as an injection of the scope in progress.
  func injection(_ session: Session) -> SiteInjection {
    func node(_ weight: Weight) -> Node {
      let node = Node(
        WeightLeaf(weight: weight), [], rows: weight.rows, columns: weight.columns, needsGradient: false)
      _ = session.handle(for: node)
      return node
    }
    return SiteInjection(
      inputFactors: inputFactors.map(node),
      deltas: zip(deltas, scales).map {
        .init(a: node($0.a), b: node($0.b), scale: $1, dropout: 0)
      },
      outputFactors: outputFactors.map(node))
  }
}
