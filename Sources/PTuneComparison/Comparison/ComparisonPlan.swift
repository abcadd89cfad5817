import PTune
import PTuneComposition
import PTuneFormats
import PTunePlugins
import PTuneRunFile

/// One training of a comparison: a method, values of the grid, a seed.
public struct ComparisonCell: Sendable {
  /// The method and its values of the grid: "prefix-tuning form=hidden virtual_tokens=5". Cells that differ in
  /// their seed alone have the same.
  public let label: String
  /// The values of the grid, by key, in the order of the grid.
  public let grid: [(key: String, value: String)]
  /// What everything random is drawn from.
  public let seed: Int
  /// The whole run.
  public let spec: RunSpec

  /// The folder of the cell, `cells/NAME` in that of the comparison. It follows from the method, the grid and the seed,
  /// and not from the rest of the run.
  var folder: String { spec.output }
}

/// All trainings of a comparison, in their order.
public struct ComparisonPlan: Sendable {
  /// The trainings: methods in the order in which they were named, each with all seeds.
  public let cells: [ComparisonCell]
  /// What the user should know.
  public let notes: [String]
  /// The seeds.
  public let seeds: [Int]
  /// The folder of the comparison, absolute.
  public let output: String

  /// Plans a comparison.
  ///
  /// - Parameters:
  ///   - runFile: the run file.
  ///   - overrides: what flags say, for all methods.
  ///   - variants: the methods; empty for the run file's.
  ///   - axes: the grid; nil for the run file's.
  ///   - seeds: how many; nil for what the run file says.
  ///   - output: the folder; nil for that of the run with `-comparison` behind it.
  /// - Throws: `RunFileError`, and what does not fit a plugin's schema, before anything is trained.
  public init(
    runFile: String, overrides: [RunOverride], variants: [ComparisonVariant], axes: [ComparisonAxis]?,
    seeds: Int?, output: String?, inventory: PluginInventory
  ) throws {
    let file = try RunFile(runFile)
    let named = try variants.isEmpty ? Self.ownVariants(file, overrides) : variants
    let first = try Self.read(file, overrides, named[0], values: [], inventory: inventory)
    let axes = try axes ?? first.compare?.grid.map { try ComparisonAxis($0.value, place: $0.place) } ?? []
    let output =
      FilePath.normalised(
        FilePath.join(FileSystem.currentFolder, output ?? first.output + "-comparison"))
    let start = first.training.seed
    let all = Array(start..<start + (seeds ?? first.compare?.seeds ?? 1))
    var (cells, notes) = ([ComparisonCell](), [String]())
    var isKnown = Array(repeating: false, count: axes.count)
    for variant in named {
      let own = try Self.read(file, overrides, variant, values: [], inventory: inventory)
      let known = try axes.map { try Self.knows($0, own, inventory) }
      for (index, axis) in axes.enumerated() {
        isKnown[index] = isKnown[index] || known[index]
        if !known[index] {
          notes.append("\(variant.label) has no \(axis.name); it is trained without that part of the grid")
        }
      }
      for values in Self.points(zip(axes, known).filter(\.1).map(\.0)) {
        let label = ([variant.label] + values.map { "\($0.axis.name)=\($0.value)" }).joined(separator: " ")
        let spec = try Self.read(file, overrides, variant, values: values, inventory: inventory)
        try spec.check(inventory)
        for seed in all {
          var spec = spec
          spec.training.seed = seed
          spec.output = FilePath.join(output, "\(ComparisonFolderFiles.cells)/\(Self.folder(label, seed))")
          spec.compare = nil
          cells.append(
            ComparisonCell(
              label: label, grid: values.map { ($0.axis.path.joined(separator: "."), $0.value) }, seed: seed,
              spec: spec))
        }
      }
    }
    for (axis, known) in zip(axes, isKnown) where !known {
      let known = try cells.flatMap {
        try inventory.component(.adapter, named: $0.spec.adapters[0].plugin.value).schema.parameters
      }
      let nearest = Suggestion.nearest(axis.name, among: known.map(\.name)).map { "; did you mean '\($0)'?" }
      throw RunFileError(
        place: axis.place,
        problem: .path("none of the compared adapters has '\(axis.name)'" + (nearest ?? "")))
    }
    var labels: Set<String> = []
    for cell in cells where cell.seed == start && !labels.insert(cell.label).inserted {
      throw RunFileError(
        place: named[0].place, problem: .conflict("the method '\(cell.label)' is named twice"))
    }
    (self.cells, self.notes, self.seeds, self.output) = (cells, notes, all, output)
  }

  /// The methods that the run file names, or the one that it is for.
  private static func ownVariants(
    _ file: RunFile, _ overrides: [RunOverride]
  ) throws -> [ComparisonVariant] {
    let spec = try file.run(overrides)
    guard let adapters = spec.compare?.adapters, !adapters.isEmpty else {
      if spec.adapters.count > 1 {
        return [try ComparisonVariant(file.path, place: spec.adapters[0].plugin.place)]
      }
      return [try ComparisonVariant(spec.adapters[0].plugin.value, place: spec.adapters[0].plugin.place)]
    }
    return try adapters.map { adapter in
      let isFile = adapter.value.hasSuffix(".yaml") || adapter.value.hasSuffix(".yml")
      let text = isFile ? FilePath.join(FilePath.folder(of: file.path), adapter.value) : adapter.value
      return try ComparisonVariant(text, place: adapter.place)
    }
  }

  private typealias Value = (axis: ComparisonAxis, value: String)

  /// All combinations of the axes' values, the last axis changing fastest.
  private static func points(_ axes: [ComparisonAxis]) -> [[Value]] {
    axes.reduce([[]]) { points, axis in points.flatMap { point in axis.values.map { point + [(axis, $0)] } } }
  }

  /// The run of a method.
  private static func read(
    _ file: RunFile, _ overrides: [RunOverride], _ variant: ComparisonVariant, values: [Value],
    inventory: PluginInventory
  ) throws -> RunSpec {
    let values = try values.map {
      try RunOverride(
        set: "\($0.axis.path.joined(separator: "."))=\($0.value)", flag: $0.axis.place.description)
    }
    let own = try? file.run(overrides)
    // A method takes the place of all that the run file combines.
    let overrides = overrides + [RunOverride(path: ["adapters"], text: "", flag: variant.place.description)]
    if let other = variant.runFile {
      // What is said of one of several adapters goes to those of the file, and nowhere else.
      let ofSeveral = values.filter { $0.path[0] == "adapters" }
      let values = values.filter { $0.path[0] != "adapters" }
      let other = try RunSpec.read(other, overrides: ofSeveral)
      // The sections take the place of the run file's, and the grid goes on top.
      var spec = try file.run(
        overrides + [
          RunOverride(
            path: ["adapter"], text: other.adapters[0].plugin.value, flag: variant.place.description)
        ] + values)
      let onTop = spec.adapters[0].hyperparameters
      spec.adapters = other.adapters
      spec.adapters[0].hyperparameters.merge(onTop) { $1 }
      spec.selector = other.selector
      return spec
    }
    // NB: the last override of a key counts, so a method's own settings come before those of the grid.
    var spec = try file.run(overrides + variant.overrides + values)
    let isOwn = own?.adapters[0].plugin.value == spec.adapters[0].plugin.value
    if !isOwn { _ = try spec.removeStrangers(inventory) }
    let component = try inventory.component(.adapter, named: spec.adapters[0].plugin.value)
    if !isOwn, !component.needs.contains(selectInterface), !variant.namesSelector { spec.selector = nil }
    if component.needs.contains(selectInterface), spec.selector == nil {
      let known = inventory.components.filter { $0.kind == .selector }.map(\.name).sorted()
      throw ComparisonError.noSelector(
        variant.place, adapter: component.name, method: variant.text, known: known)
    }
    return spec
  }

  private static let selectInterface = "ptune.select/1"

  /// Whether a key of the grid means something to a run.
  private static func knows(
    _ axis: ComparisonAxis, _ spec: RunSpec, _ inventory: PluginInventory
  ) throws -> Bool {
    func has(_ kind: ComponentKind, _ name: String, _ key: String) throws -> Bool {
      try inventory.component(kind, named: name).schema.parameters.contains { $0.name == key }
    }
    switch axis.path[0] {
    case "adapter": return try has(.adapter, spec.adapters[0].plugin.value, axis.path[1])
    case "adapters":
      let names = spec.adapters.count == 1 ? [] : spec.adapters.map(\.plugin.value)
      return try axis.path.count == 3 && names.contains(axis.path[1])
        && has(.adapter, axis.path[1], axis.path[2])
    case "selector" where axis.path[1] != "plugin":
      return try spec.selector.map { try has(.selector, $0.plugin.value, axis.path[1]) } ?? false
    case "selector": return spec.selector != nil
    default: return true
    }
  }

  /// A folder's name for a cell: readable, and different for different cells.
  private static func folder(_ label: String, _ seed: Int) -> String {
    var digest = SHA256()
    digest.update(label)
    let readable = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.prefix(60))
    return "\(readable)-\(digest.hexadecimal().prefix(6))-seed-\(seed)"
  }
}

extension ComparisonVariant {
  /// Whether the method says which selector it wants.
  fileprivate var namesSelector: Bool { overrides.contains { $0.path[0] == "selector" } }
}
