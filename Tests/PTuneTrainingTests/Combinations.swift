import Foundation
import PTuneFormats
import PTunePlugins
import TestSupport

@testable import PTuneComposition

/// What can be combined: all that the plugins of this package list, with hyperparameters that suit tiny models.
enum Combinations {
  /// The method that stands for all where heads meet base models, and the head where methods meet base models.
  private static let plain = (adapter: "prompt-tuning", head: "sequence-classification")

  /// Sizes, in place of the defaults: tiny models have 64 positions, and pools three entries. Dropout would hide
  /// whether the loss falls.
  private static let sizes: [String: HyperparameterValue] = [
    "virtual_tokens": .int(3), "pool_size": .int(3), "k": .int(2), "chosen": .int(2), "doc_stride": .int(4),
    "dropout": .double(0),
  ]
  /// Choices of an adapter that make other methods of it.
  private static let forms: Set<String> = ["form", "at", "combine"]

  /// A base model's component with a checkpoint of Tests/Fixtures.
  struct Base: Hashable, Sendable {
    let name: String
    let folder: String
  }

  /// An adapter in one of its forms, and the selector that weighs its pool.
  struct Method: Hashable, Sendable {
    let adapter: String
    /// "form: hidden"
    let form: [String]
    let selector: String?

    var name: String {
      "`\(adapter)`\(form.isEmpty ? "" : ", " + form.map { "`\($0)`" }.joined(separator: ", "))"
        + (selector.map { " with `\($0)`" } ?? "")
    }
  }

  /// A head as a run file has it, with the data it needs.
  struct Head: Hashable, Sendable {
    let plugin: String
    /// "multi_label: true"; empty for the head as it is.
    var variant = ""
    /// Further hyperparameters that it cannot do without.
    var needs = ""
    /// Keys of the data section.
    var data = "label: tone"
    /// After how many steps the loss is clearly lower. Where the head trains nothing itself, a prompt alone has to move a
    /// frozen model of random weights.
    var steps = 5

    var name: String { variant.isEmpty ? "`\(plugin)`" : "`\(plugin)`, `\(variant)`" }
  }

  struct Cell: Hashable, Sendable {
    let base: Base
    let method: Method
    let head: Head
  }

  // MARK: - What there is

  static let components = Workbench.factory().registry.inventory.components

  /// Each base model, on the checkpoint of its own model type if there is one, else on one that it can load as if it were.
  static let bases: [Base] = {
    let folders = ((try? FileManager.default.contentsOfDirectory(atPath: Workbench.fixtures)) ?? [])
      .filter { FileSystem.isFile("\(Workbench.fixtures)/\($0)/config.json") }
      // Those with a masked language model's head can do all that the others can.
      .sorted { ($0.hasSuffix("-mlm") ? 0 : 1, $0) < ($1.hasSuffix("-mlm") ? 0 : 1, $1) }
    let checkpoints = folders.compactMap { folder in
      (try? ModelCheckpoint(folder: "\(Workbench.fixtures)/\(folder)")).map { (folder, $0) }
    }
    return named(.baseModel).map { base in
      let own = checkpoints.first { $0.1.config.modelType == base.name }
      let suitable =
        own
        ?? checkpoints.first { folder, _ in
          let altered = try? AlteredCheckpoint(
            folder, changes: ["model_type": .string(base.name)])
          return altered.flatMap { try? Workbench.base(base.name, $0, Workbench.factory()) } != nil
        }
      return Base(name: base.name, folder: suitable?.0 ?? "no checkpoint suits \(base.name)")
    }
  }()

  static let heads: [Head] = named(.taskHead).flatMap { head -> [Head] in
    switch head.name {
    case "sequence-classification":
      [
        Head(plugin: head.name),
        Head(plugin: head.name, variant: "multi_label: true", data: "label: tones"),
      ]
    case "masked-lm-verbalizer":
      [
        Head(
          plugin: head.name, needs: #"words: ["positive=good", "negative=bad"]"#,
          data: #"label: tone, template: "{text} it was {mask}.""#, steps: 10)
      ]
    case "token-classification": [Head(plugin: head.name, data: "label: tags")]
    case "regression": [Head(plugin: head.name, data: "label: score")]
    case "extractive-qa": [Head(plugin: head.name, data: "label: answers")]
    case "multiple-choice": [Head(plugin: head.name, data: "label: choice")]
    default: [Head(plugin: head.name)]
    }
  }

  /// Every adapter in every form; one that uses a selector, with each.
  static let methods: [Method] = {
    guard let folder = try? CombinationFolder(), let base = bases.first else { return [] }
    let selectors = named(.selector).map(\.name)
    return named(.adapter).flatMap { adapter -> [Method] in
      forms(of: adapter).flatMap { form -> [Method] in
        // An adapter without a pool takes no selector, and one with a pool does not do without.
        let alone = Method(adapter: adapter.name, form: form, selector: nil)
        let cell = Cell(base: base, method: alone, head: Head(plugin: plain.head))
        if !isRefused(cell, in: folder) { return [alone] }
        return selectors.map { Method(adapter: adapter.name, form: form, selector: $0) }
      }
    }
  }()

  /// Whether it cannot be put together; a mistake of the test shows where it is tried in earnest.
  private static func isRefused(_ cell: Cell, in folder: CombinationFolder) -> Bool {
    do {
      return try folder.refusal(cell) != nil
    } catch {
      return true
    }
  }

  private static func named(_ kind: ComponentKind) -> [ComponentDescription] {
    components.filter { $0.kind == kind }.sorted { $0.name < $1.name }
  }

  /// All combinations of the adapter's forms; the empty one if it has none.
  private static func forms(of adapter: ComponentDescription) -> [[String]] {
    adapter.schema.parameters.reduce([[]]) { all, parameter in
      guard forms.contains(parameter.name), case .choices(let choices)? = parameter.limits else { return all }
      return all.flatMap { form in choices.map { form + ["\(parameter.name): \($0)"] } }
    }
  }

  // MARK: - What is combined with what

  /// Every head on every base model.
  static let headsOnBases = bases.map { base in heads.map { Cell(base: base, method: plainMethod, head: $0) }
  }
  /// Every method on every base model.
  static let methodsOnBases = methods.map { method in
    bases.map { Cell(base: $0, method: method, head: Head(plugin: plain.head)) }
  }
  /// Every method with every head, on the first base model that goes with the head.
  static let methodsWithHeads: [[Cell]] = {
    guard let folder = try? CombinationFolder() else { return [] }
    let homes = heads.map { head in
      let home = bases.first { base in
        !isRefused(Cell(base: base, method: plainMethod, head: head), in: folder)
      }
      return home ?? bases[0]
    }
    return methods.map { method in
      zip(heads, homes).map { Cell(base: $1, method: method, head: $0) }
    }
  }()

  /// Why those that are refused are.
  static let refusals: [Cell: String] = {
    guard let folder = try? CombinationFolder() else { return [:] }
    let cells = Set([headsOnBases, methodsOnBases, methodsWithHeads].joined().joined())
    return cells.reduce(into: [:]) { refusals, cell in
      do {
        refusals[cell] = try folder.refusal(cell)
      } catch {
        refusals[cell] = "a mistake of the test: \(error)"
      }
    }
  }()

  private static let plainMethod = Method(adapter: plain.adapter, form: [], selector: nil)

  // MARK: - Lines of a run file

  /// `{plugin: top-k, k: 2, dropout: 0}`, with those sizes that the component has.
  static func section(_ kind: ComponentKind, _ name: String, _ settings: [String]) -> String {
    let known = components.first { $0.kind == kind && $0.name == name }?.schema.parameters ?? []
    let sizes = known.compactMap { parameter in
      Self.sizes[parameter.name].map { "\(parameter.name): \($0)" }
    }
    return "{\((["plugin: \(name)"] + sizes + settings.filter { !$0.isEmpty }).joined(separator: ", "))}"
  }
}
