import PTuneLibc

/// The weights of a base model: `model.safetensors`, or the shards that `model.safetensors.index.json` names.
public final class Checkpoint: Sendable {
  /// The folder.
  public let folder: String
  /// The files, in the order of their names.
  public let files: [SafetensorsFile]
  /// The names of all tensors, sorted.
  public let names: [String]
  /// Which file holds a tensor.
  private let places: [ByteString: Int]

  /// Opens the weights in a folder. Throws CheckpointError, FileError, JSONError or SafetensorsError.
  public init(folder: String) throws {
    let single = FilePath.join(folder, WeightFiles.single)
    let index = FilePath.join(folder, WeightFiles.index)
    self.folder = folder
    if FileSystem.exists(single) {
      files = [try SafetensorsFile(single)]
      places = Dictionary(uniqueKeysWithValues: files[0].tensors.map { (ByteString($0.name), 0) })
    } else if FileSystem.exists(index) {
      (files, places) = try Self.shards(folder: folder, index: index)
    } else {
      throw CheckpointError.missing(in: folder)
    }
    names = places.keys.map(\.string).sorted(by: ByteString.less)
  }

  /// Opens the weights that a config.json belongs to.
  ///
  /// - Throws: `CheckpointError` for quantised ones too, FileError, JSONError or SafetensorsError.
  public convenience init(folder: String, _ config: ModelConfig) throws {
    if let error = CheckpointError.quantised(config, folder: folder) { throw error }
    try self.init(folder: folder)
  }

  /// What is known about a tensor, or nil if there is none of this name.
  public func tensor(_ name: String) -> TensorInfo? {
    places[ByteString(name)].flatMap { files[$0].tensor(name) }
  }

  /// The values of a tensor of floats of any width as 32-bit floats.
  ///
  /// Throws SafetensorsError if there is no such tensor or it does not contain floats.
  public func floats(_ name: String) throws(SafetensorsError) -> FloatTensor {
    try file(of: name).floats(name)
  }

  /// The bytes of a tensor as they stand in the file, little-endian. NB: valid only as long as this object
  /// lives.
  ///
  /// Throws SafetensorsError if there is no such tensor.
  public func unsafeBytes(_ name: String) throws(SafetensorsError) -> UnsafeRawBufferPointer {
    try file(of: name).unsafeBytes(name)
  }

  /// Whether two tensors have the same type, shape and bytes.
  public func holdsSame(_ a: String, _ b: String) -> Bool {
    guard let first = tensor(a), let second = tensor(b), first.type == second.type,
      first.shape == second.shape, let x = try? unsafeBytes(a), let y = try? unsafeBytes(b),
      x.count == y.count, let left = x.baseAddress, let right = y.baseAddress
    else { return false }
    return memcmp(left, right, x.count) == 0
  }

  /// All tensors with their bytes, in the order of their names.
  var contents: some Sequence<(TensorInfo, UnsafeRawBufferPointer)> {
    names.lazy.compactMap { name in
      guard let place = self.places[ByteString(name)], let tensor = self.files[place].tensor(name) else {
        return nil
      }
      return (tensor, self.files[place].unsafeBytes(of: tensor))
    }
  }

  private func file(of name: String) throws(SafetensorsError) -> SafetensorsFile {
    guard let place = places[ByteString(name)] else {
      throw SafetensorsError(file: files.count == 1 ? files[0].path : folder, problem: .missing(tensor: name))
    }
    return files[place]
  }

  private static func shards(
    folder: String, index: String
  ) throws -> (files: [SafetensorsFile], places: [ByteString: Int]) {
    let shardOf = try shardNames(folder: folder, index: index)
    let names = Set(shardOf.values).sorted(by: ByteString.less)
    let absent = names.filter { !FileSystem.exists(FilePath.join(folder, $0)) }
    guard absent.isEmpty else {
      throw CheckpointError(folder: folder, problem: .missingShards(absent, of: names.count))
    }
    let files = try names.map { try SafetensorsFile(FilePath.join(folder, $0)) }
    let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    var places: [ByteString: Int] = [:]
    for (tensor, shard) in shardOf {
      guard let number = numbers[shard], files[number].tensor(tensor.string) != nil else {
        throw SafetensorsError(
          file: FilePath.join(folder, shard), problem: .missing(tensor: tensor.string))
      }
      places[tensor] = number
    }
    return (files, places)
  }

  /// The files of weights that a folder's index names and that are not there; empty where there is no index.
  ///
  /// - Throws: CheckpointError, FileError or JSONError for an index that is damaged.
  static func missingShards(folder: String) throws -> [String] {
    let index = FilePath.join(folder, WeightFiles.index)
    guard !FileSystem.exists(FilePath.join(folder, WeightFiles.single)), FileSystem.exists(index) else {
      return []
    }
    return Set(try shardNames(folder: folder, index: index).values).sorted(by: ByteString.less).filter {
      !FileSystem.exists(FilePath.join(folder, $0))
    }
  }

  /// Which file holds each tensor.
  private static func shardNames(folder: String, index: String) throws -> [ByteString: String] {
    guard let map = try JSONValue.read(index)["weight_map"]?.objectValue else {
      throw CheckpointError(folder: folder, problem: .index(file: index))
    }
    var shardOf: [ByteString: String] = [:]
    for (tensor, shard) in map {
      // NB: a name from a file; it must not lead out of the folder.
      guard let shard = shard.stringValue, !shard.isEmpty, shard != "..", !shard.utf8.contains(0x2F) else {
        throw CheckpointError(folder: folder, problem: .index(file: index))
      }
      shardOf[ByteString(tensor)] = shard
    }
    return shardOf
  }
}

/// The names under which weights are looked for.
enum WeightFiles {
  static let single = "model.safetensors"
  static let index = "model.safetensors.index.json"
  static let pickles = ["pytorch_model.bin", "pytorch_model.bin.index.json"]

  static func present(in folder: String) -> Bool {
    [single, index].contains { FileSystem.exists(FilePath.join(folder, $0)) }
  }
}
