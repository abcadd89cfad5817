import CPTune

/// A linear layer of the base model, to which adapters attach low-rank deltas and scalings (`ptune.sites/1`).
public struct Site: Sendable, Equatable {
  /// What a linear layer computes within its transformer layer; several where a checkpoint stores them as one layer.
  public struct Roles: OptionSet, Hashable, Sendable {
    /// The bits of `ptune_site_roles`.
    public let rawValue: UInt32
    /// Roles with these bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Queries of the attention.
    public static let query = Roles(rawValue: UInt32(PTUNE_SITE_QUERY))
    /// Keys of the attention.
    public static let key = Roles(rawValue: UInt32(PTUNE_SITE_KEY))
    /// Values of the attention.
    public static let value = Roles(rawValue: UInt32(PTUNE_SITE_VALUE))
    /// What follows the attention.
    public static let attentionOutput = Roles(rawValue: UInt32(PTUNE_SITE_ATTENTION_OUTPUT))
    /// What enters the feed-forward network.
    public static let feedForwardIn = Roles(rawValue: UInt32(PTUNE_SITE_FEED_FORWARD_IN))
    /// What a gated feed-forward network applies its activation to.
    public static let feedForwardGate = Roles(rawValue: UInt32(PTUNE_SITE_FEED_FORWARD_GATE))
    /// What leaves the feed-forward network.
    public static let feedForwardOut = Roles(rawValue: UInt32(PTUNE_SITE_FEED_FORWARD_OUT))

    /// Each role under the name that users write.
    public static let named: [(name: String, role: Roles)] = [
      ("query", .query), ("key", .key), ("value", .value), ("attention-output", .attentionOutput),
      ("feed-forward-in", .feedForwardIn), ("feed-forward-gate", .feedForwardGate),
      ("feed-forward-out", .feedForwardOut),
    ]
  }

  /// Its number.
  let index: Int
  /// The module's path without what stands before the layers: "h.0.attn.c_attn".
  public let name: String
  /// The transformer layer that it belongs to.
  public let layer: Int
  /// What it computes.
  public let roles: Roles
  /// Columns of its inputs.
  public let inputs: Int
  /// Columns of its outputs.
  public let outputs: Int

  /// The sites of the base model, in the order in which it declared them.
  public static var all: [Site] {
    guard let table = Host.tables.sites?.pointee else { return [] }
    return (0..<table.count(Host.currentCall)).compactMap { index in
      var raw = ptune_site_v1()
      guard table.site(Host.currentCall, index, &raw) else { return nil }
      return Site(
        index: index, name: String(cString: raw.name), layer: raw.layer, roles: Roles(rawValue: raw.roles),
        inputs: raw.inputs, outputs: raw.outputs)
    }
  }

  /// In a base model's `init`: makes the linear layer with this weight, a whole one, a site.
  ///
  /// - Throws: ``ComponentFailure`` if the host refuses it.
  public static func declare(_ name: String, weight: Tensor, layer: Int, _ roles: Roles) throws {
    let status = Host.tables.sites?.pointee.declare(
      Host.currentCall, weight.handle, name, layer, roles.rawValue)
    // A host without sites has no adapters that use them.
    try Host.check(status ?? ptune_status(PTUNE_OK), "declaring the site '\(name)'")
  }
}

extension Site {
  /// The sites that a list of targets means, in their order. A target is a role (`query`), the end of a module's path as
  /// PEFT's `target_modules` have it (`q_proj`, `attention.self.query`), or `all-linear`. A role picks each layer that
  /// computes it, whatever else that computes.
  ///
  /// - Throws: ``ComponentFailure`` for a target that no site meets, which lists what there is.
  public static func matching(_ targets: [String]) throws -> [Site] {
    let sites = all
    for target in targets where !sites.contains(where: { $0.meets(target) }) {
      let roles = Roles.named.filter { role in sites.contains { $0.roles.contains(role.role) } }.map(\.name)
      let first = sites.first?.layer
      let modules = sites.filter { $0.layer == first }.map(\.name)
      throw ComponentFailure.badArgument(
        sites.isEmpty
          ? "the base model declares no linear layers, so there is no '\(target)'"
          : "the base model has no linear layer '\(target)'; there are all-linear, \(roles.joined(separator: ", ")), "
            + "and the ends of paths such as \(modules.joined(separator: ", "))")
    }
    return sites.filter { site in targets.contains { site.meets($0) } }
  }

  /// Whether a target means this site, among others.
  public func meets(_ target: String) -> Bool {
    target == "all-linear" || name == target || name.hasSuffix("." + target)
      || Roles.named.contains { $0.name == target && roles.contains($0.role) }
  }
}

extension Injections {
  /// Adds scale·(x·Aᵀ)·Bᵀ to a site's outputs, with A `[r, inputs]` and B `[outputs, r]`.
  ///
  /// - Parameter dropout: of the inputs of this product, in training.
  public func lowRank(_ a: Tensor, _ b: Tensor, at site: Site, scale: Double, dropout: Double = 0) throws {
    try check(
      Host.tables.sites?.pointee.low_rank(
        handle, site.index, a.handle, b.handle, Float(scale), Float(dropout)))
  }
  /// Multiplies a site's inputs by factors `[1, inputs]`.
  public func scale(inputsOf site: Site, by factors: Tensor) throws {
    try check(Host.tables.sites?.pointee.scale_inputs(handle, site.index, factors.handle))
  }
  /// Multiplies a site's outputs by factors `[1, outputs]`.
  public func scale(outputsOf site: Site, by factors: Tensor) throws {
    try check(Host.tables.sites?.pointee.scale_outputs(handle, site.index, factors.handle))
  }
}
