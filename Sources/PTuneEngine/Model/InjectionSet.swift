import PTune

/// What adapters asked to add to one forward pass.
final class InjectionSet {
  struct Input {
    let rows: Node
    let placement: Placement
    let perSequence: Bool

    /// Whether a causal model computes it once for all sequences: it stands before everything and cannot see them.
    var isShared: Bool { placement == .start && !perSequence }
  }
  struct Prefix {
    /// Hidden rows, or keys.
    let rows: Node
    /// Values, in the key-value form.
    let values: Node?
    let perSequence: Bool
  }

  let batch: PackedBatch
  var inputs: [Input] = []
  var prefixes: [Int: [Prefix]] = [:]
  var firstPosition = 0
  /// Rows in front of `firstPosition` that earlier passes computed for all sequences.
  private var earlierRows = 0
  /// The adapter that said so.
  var firstPositionClaim: (component: String, position: Int)?
  var losses: [Node] = []
  /// What is attached to the base model's linear layers, by their numbers.
  var sites: [Int: SiteInjection] = [:]

  init(batch: PackedBatch) { self.batch = batch }

  /// The place of a sequence's first row, those of a prompt that all sequences share included.
  var sequenceStart: Int32 { Int32(firstPosition - earlierRows) }

  /// How many rows of an injection each sequence gets.
  func length(_ rows: Node, perSequence: Bool) -> Int {
    perSequence ? rows.rows / max(1, batch.count) : rows.rows
  }

  /// What each sequence has for itself, where what all of them share was computed before.
  ///
  /// - Parameter rows: of the prompt that all sequences share.
  func withoutShared(rows: Int) -> InjectionSet {
    let own = InjectionSet(batch: batch)
    own.inputs = inputs.filter { !$0.isShared }
    own.prefixes = prefixes.mapValues { $0.filter(\.perSequence) }
    own.firstPosition = firstPosition + rows
    own.earlierRows = rows
    own.sites = sites
    return own
  }

  /// Why these rows cannot do what they are for; nil if they can: those for the places of a template have to be as many
  /// as these, and in a causal model no token of the text sees a row behind it, which would never be trained.
  func disagreement(tasks: [TaskFacts], causal: Bool) -> String? {
    if causal, inputs.contains(where: { $0.placement == .end }) {
      return "placement 'end': in a causal model, no token sees what follows it; use 'placement: start'"
    }
    let rows = inputs.filter { $0.placement == .template }.reduce(0) {
      $0 + length($1.rows, perSequence: $1.perSequence)
    }
    func name(_ sequence: Int) -> String {
      let task = Int(batch.tasks[sequence])
      return tasks.indices.contains(task) ? " of task '\(tasks[task].name)'" : ""
    }
    guard let sequence = (0..<batch.count).first(where: { batch.marks($0).count != rows }) else {
      let behind = (0..<batch.count).first {
        let (last, tokens) = (batch.marks($0).last.map(Int.init), batch.range($0).count)
        return tokens > 0 && last ?? 0 >= tokens
      }
      guard causal, let behind else { return nil }
      return
        "the template\(name(behind)) ends with {prompt}: in a causal model, no token sees what follows it; put "
        + "text after {prompt}"
    }
    let name = name(sequence)
    let places = batch.marks(sequence).count
    if places == 0 {
      return "placement 'template': the data\(name) has no template with {prompt} for its rows"
    }
    if rows == 0 {
      return
        "the template\(name) has {prompt}, but the adapter puts no rows there; set 'placement: template', or use "
        + "an adapter that has it, such as p-tuning"
    }
    return "the template\(name) has places for \(places) virtual tokens, but the adapter has \(rows)"
  }
}
