import PTuneComposition
import PTuneFormats

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The folder of one training of a comparison: an ordinary run folder, and the files that say how far it has come.
public struct CellFolder: Sendable {
  /// Its path.
  public let path: String

  /// A cell's folder.
  public init(_ path: String) { self.path = path }

  /// How far a cell has come.
  public enum State: String, Sendable {
    /// Nothing was done.
    case new
    /// It was begun and not ended.
    case begun
    /// The training failed.
    case failed
    /// All was measured.
    case done
  }

  /// What the cell was trained under.
  var conditionsFile: String { FilePath.join(path, "cell.json") }
  /// The run file of the training.
  public var runFile: String { FilePath.join(path, RunFolderFiles.run) }
  /// What the training came to.
  public var trainingFile: String { FilePath.join(path, "training.json") }
  /// What using the adapter costs.
  public var inferenceFile: String { FilePath.join(path, "inference.json") }
  /// Why it failed.
  public var failureFile: String { FilePath.join(path, "failure.json") }
  /// What the training had to say.
  public var logFile: String { FilePath.join(path, "log.txt") }

  /// How far it has come.
  public var state: State {
    if FileSystem.isFile(inferenceFile), FileSystem.isFile(trainingFile) { return .done }
    if FileSystem.isFile(failureFile) { return .failed }
    return FileSystem.isFile(conditionsFile) ? .begun : .new
  }

  /// Whether a training can go on from a checkpoint.
  public var hasCheckpoint: Bool {
    let entries = (try? FileSystem.entries(of: FilePath.join(path, RunFolderFiles.checkpoints))) ?? []
    return entries.contains { $0.hasSuffix(".safetensors") }
  }

  /// Makes the folder ready for its training, if it is not.
  ///
  /// - Throws: ``ComparisonError`` if there is a training under other conditions; `FileError`.
  func begin(_ cell: ComparisonCell, _ conditions: CellConditions) throws {
    try check(cell, conditions)
    try FileSystem.createOwnFolder(path)
    guard !FileSystem.isFile(conditionsFile) else { return }
    try AtomicFile.write(cell.spec.yaml(), to: runFile)
    try AtomicFile.write(conditions.json.text(.pretty), to: conditionsFile)
  }

  /// Refuses a folder whose training was another one.
  func check(_ cell: ComparisonCell, _ conditions: CellConditions) throws {
    guard let json = try readJSON(conditionsFile) else { return }
    guard let old = CellConditions(json) else {
      throw ComparisonError.conditions(file: conditionsFile)
    }
    guard let difference = conditions.difference(from: old) else { return }
    throw ComparisonError.otherRun(method: cell.label, seed: cell.seed, difference: difference)
  }

  /// Removes the folder, if it is a cell's.
  ///
  /// - Throws: what the file system says.
  func discard() throws {
    guard FileSystem.isFile(conditionsFile) else { return }
    try FileManager.default.removeItem(atPath: path)
  }

  /// Notes that the cell failed.
  ///
  /// - Throws: `FileError`.
  public func fail(_ error: String, help: String?) throws {
    var document: JSONObject = ["error": .string(error)]
    document["help"] = help.map { .string($0) }
    try AtomicFile.write(JSONValue.object(document).text(.pretty), to: failureFile)
  }

  /// Takes back that the cell failed, before it is tried again.
  ///
  /// - Throws: `FileError`.
  public func forgetFailure() throws { try FileSystem.removeFile(failureFile) }

  /// A document of the folder; nil if it is not there.
  ///
  /// - Throws: `FileError` or `JSONError`.
  func readJSON(_ file: String) throws -> JSONValue? {
    guard FileSystem.isFile(file) else { return nil }
    return try JSONValue.read(file)
  }

  /// Bytes of the adapter's files; nil before there are any.
  var adapterBytes: Int? {
    let folder = FilePath.join(path, RunFolderFiles.adapter)
    let sizes = ["adapter_config.json", "adapter_model.safetensors"].map { name in
      (try? MappedFile(FilePath.join(folder, name)).withBytes { $0.count }) ?? 0
    }
    return sizes.contains(0) ? nil : sizes.reduce(0, +)
  }
}
