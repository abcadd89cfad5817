import PTuneFormats

/// A run file, parsed once: flags make different runs of it.
public struct RunFile: Sendable {
  /// Where it is, as the user named it.
  public let path: String
  private let root: RunNode

  /// Reads a run file. Throws FileError or RunFileError.
  public init(_ path: String) throws {
    let bytes = try MappedFile(path).withBytes { Array($0) }
    let text = String(decoding: bytes, as: UTF8.self)
    // Decoding replaces what is not UTF-8, so the first difference is the place.
    if let wrong = zip(bytes, text.utf8).enumerated().first(where: { $1.0 != $1.1 })?.offset
      ?? (bytes.count == text.utf8.count ? nil : bytes.count)
    {
      let line = bytes[..<wrong].count { $0 == 0x0A } + 1
      throw RunFileError(place: .file(path, line: line), problem: .encoding)
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
  ///   - resolver: what tells a model's path from its name.
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
