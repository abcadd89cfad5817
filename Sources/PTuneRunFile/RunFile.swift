import PTuneFormats

/// A run file, parsed once: flags make different runs of it.
public struct RunFile: Sendable {
  /// Where it is, as the user named it.
  public let path: String
  private let root: RunNode

  /// Reads a run file. Throws FileError or RunFileError.
  public init(_ path: String) throws {
    let file = try MappedFile(path)
    try RunNode.check(size: file.withBytes { $0.count }, place: .file(path, line: 1))
    let text: String
    do {
      text = try file.text()
    } catch let error as InvalidUTF8 {
      throw RunFileError(place: .file(path, line: error.line), problem: .encoding(byte: error.byte))
    }
    try self.init(text: text, path: path)
  }

  /// The text of a run file. Throws RunFileError.
  ///
  /// - Parameter path: names it in messages; the paths in it are seen from its folder.
  init(text: String, path: String) throws(RunFileError) {
    var root = try RunNode.parse(text, file: path)
    if root.isNull { root.content = .mapping([]) }
    (self.path, self.root) = (path, root)
  }

  /// The names of the adapters that it has, before flags name others.
  public var adapters: [String] { root.adapters.compactMap(\.name) }

  /// The run that the file and the flags make. Throws RunFileError.
  ///
  /// - Parameters:
  ///   - overrides: what flags say; they are applied in their order before anything is checked.
  ///   - resolver: decides whether a model is given by path or by name.
  ///   - currentFolder: what paths in flags are seen from.
  public func run(
    _ overrides: [RunOverride] = [], resolver: ModelResolver = ModelResolver(),
    currentFolder: String = FileSystem.currentFolder
  ) throws(RunFileError) -> RunSpec {
    var root = root
    for override in overrides { try root.apply(override) }
    let reader = RunReader(
      folder: FilePath.join(currentFolder, FilePath.folder(of: path)), currentFolder: currentFolder,
      defaultOutput: "runs/\(FilePath.stem(of: path))", resolver: resolver)
    return try reader.run(root)
  }
}
