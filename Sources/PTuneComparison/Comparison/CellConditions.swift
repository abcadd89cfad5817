import PTuneComposition
import PTuneFormats
import PTuneRunFile

/// All that decides what a training of a comparison comes to: the run, the contents of its files, the base model.
struct CellConditions: Equatable {
  /// The run as a run file, without its output.
  let run: String
  /// The SHA-256 of each data file, and of the files of an adapter that the run starts from.
  let files: [String: String]
  /// The base model's fingerprint.
  let model: String

  /// What is different in others, for people; nil if nothing is.
  func difference(from old: CellConditions) -> String? {
    let (before, now) = (Self.lines(old.run), Self.lines(run))
    let gone = before.filter { !now.contains($0) }.first
    let new = now.filter { !before.contains($0) }.first
    switch (gone, new) {
    case (let gone?, let new?): return "'\(gone)' then, '\(new)' now"
    case (let gone?, nil): return "'\(gone)' then, and not now"
    case (nil, let new?): return "'\(new)' now, and not then"
    case (nil, nil): break
    }
    if run != old.run { return "the run's lines are in another order" }
    if let changed = files.keys.sorted().first(where: { files[$0] != old.files[$0] }) {
      return "the contents of \(changed) changed"
    }
    return model == old.model ? nil : "the base model has other weights"
  }

  private static func lines(_ text: String) -> [String] {
    text.split(separator: "\n").map { String($0.drop { $0 == " " }) }
  }

  /// As `cell.json` has them.
  var json: JSONValue {
    var hashes = JSONObject()
    for (path, hash) in files.sorted(by: { $0.key < $1.key }) { hashes[path] = .string(hash) }
    return ["run": .string(run), "files": .object(hashes), "model": .string(model)]
  }

  /// Reads what ``json`` wrote; nil if it is something else.
  init?(_ json: JSONValue) {
    guard let run = json["run"]?.stringValue, let files = json["files"]?.objectValue,
      let model = json["model"]?.stringValue
    else { return nil }
    self.run = run
    self.model = model
    self.files = Dictionary(
      files.map { ($0, $1.stringValue ?? "") }, uniquingKeysWith: { _, last in last })
  }

  fileprivate init(run: String, files: [String: String], model: String) {
    (self.run, self.files, self.model) = (run, files, model)
  }
}

/// Finds the conditions of trainings; each file is read once.
final class ConditionsReader {
  private let resolver: ModelResolver
  private var files: [String: String] = [:]
  private var models: [String: String] = [:]

  init(_ resolver: ModelResolver) { self.resolver = resolver }

  /// The conditions of a run.
  ///
  /// - Throws: `FileError`, and what is wrong with the base model's files.
  func conditions(of spec: RunSpec) throws -> CellConditions {
    var spec = spec
    spec.output = "/"
    var paths = spec.tasks.flatMap { task in
      ([task.data.train, task.data.validation, task.data.test].compactMap { $0 } + task.data.furtherTrain)
        .map(\.value)
    }
    if let start = (spec.startFrom ?? spec.extend)?.value, FileSystem.isFolder(start) {
      paths += try FileSystem.entries(of: start).map { FilePath.join(start, $0) }.filter(FileSystem.isFile)
    }
    var hashes: [String: String] = [:]
    for path in paths { hashes[path] = try hash(of: path) }
    return CellConditions(run: spec.yaml(), files: hashes, model: try fingerprint(of: spec.base.model.value))
  }

  private func hash(of path: String) throws -> String {
    if let known = files[path] { return known }
    let hash = try Fingerprint.ofFile(path)
    files[path] = hash
    return hash
  }

  private func fingerprint(of model: String) throws -> String {
    if let known = models[model] { return known }
    let fingerprint = try ModelCheckpoint(folder: try resolver.resolve(model).folder).fingerprint
    let text = "\(fingerprint.weights) \(fingerprint.config)"
    models[model] = text
    return text
  }
}
