import PTuneFormats

/// The fixtures of the tests, which seeds are made from.
enum Fixtures {
  /// The package's folder.
  static let package = FilePath.folder(of: FilePath.folder(of: FilePath.folder(of: #filePath)))
  static let folder = "\(package)/Tests/Fixtures"
  static let text = "\(package)/Tests/PTuneTextTests/Fixtures"

  static func bytes(_ path: String) throws -> [UInt8] {
    try MappedFile(FilePath.join(folder, path)).withBytes { Array($0) }
  }

  /// The files of a name in the folders of a folder, the smallest first.
  static func files(_ folder: String, _ name: String) throws -> [[UInt8]] {
    try FileSystem.entries(of: folder).map { "\(folder)/\($0)/\(name)" }.filter(FileSystem.isFile)
      .map(bytes).sorted { $0.count < $1.count }
  }
}
