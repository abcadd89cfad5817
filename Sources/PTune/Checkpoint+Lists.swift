import CPTune
import PTuneLibc

/// Lists, objects, slices and keys that are known (`ptune.checkpoint/2`).
extension Checkpoint {
  private static var more: ptune_checkpoint_v2 {
    get throws {
      guard let table = Host.tables.secondCheckpoint?.pointee else { throw Host.lacks(PTUNE_CHECKPOINT_V2) }
      return table
    }
  }

  /// How many elements the list at a key of config.json has, or how many members the object; nil if the key is absent.
  ///
  /// - Throws: ``ComponentFailure`` for a value that is neither.
  public static func size(of key: String) throws -> Int? {
    var size = 0
    let found = try more.config_size(Host.currentCall, key, &size)
    if found == PTUNE_MALFORMED { throw ComponentFailure.badArgument("config.json: '\(key)' is no list") }
    return found == PTUNE_FOUND ? size : nil
  }

  /// The whole numbers of a list of config.json; nil if the key is absent.
  ///
  /// - Throws: ``ComponentFailure`` for a value that is no such list.
  public static func integers(_ key: String) throws -> [Int]? {
    try size(of: key).map { try (0..<$0).map { try integer("\(key).\($0)") } }
  }

  /// The numbers of a list of config.json; nil if the key is absent.
  ///
  /// - Throws: ``ComponentFailure`` for a value that is no such list.
  public static func numbers(_ key: String) throws -> [Double]? {
    try size(of: key).map { try (0..<$0).map { try number("\(key).\($0)") } }
  }

  /// The texts of a list of config.json; nil if the key is absent.
  ///
  /// - Throws: ``ComponentFailure`` for a value that is no such list.
  public static func strings(_ key: String) throws -> [String]? {
    try size(of: key).map { try (0..<$0).map { try string("\(key).\($0)") } }
  }

  /// The names of the members of an object of config.json, in its order; empty if the key is absent.
  ///
  /// - Throws: ``ComponentFailure`` for a value that is no object.
  public static func members(of key: String) throws -> [String] {
    try (0..<(size(of: key) ?? 0)).compactMap { index in
      try more.config_member(Host.currentCall, key, index).map { String(cString: $0) }
    }
  }

  /// Matrix `index` of a tensor `[slices, rows, columns]` as a frozen weight that shares the tensor's memory.
  ///
  /// - Parameter transposed: it is stored `[slices, columns, rows]`.
  /// - Throws: ``ComponentFailure`` if it is missing or has another shape.
  public static func slice(
    _ index: Int, of name: String, slices: Int, rows: Int, columns: Int, transposed: Bool = false
  ) throws -> Tensor {
    guard
      let handle = try more.weight_slice(Host.currentCall, name, slices, index, rows, columns, transposed)
    else { throw ComponentFailure("loading slice \(index) of weight '\(name)' failed") }
    return Tensor(handle: handle)
  }

  /// Names keys of config.json that change nothing of what this base model computes, or that it reads later. After that
  /// the host warns of those that `init` neither read nor named.
  ///
  /// - Throws: ``ComponentFailure`` of a ptune that cannot.
  public static func understand(_ keys: [String]) throws {
    let texts = keys.map { strdup($0) }
    defer { for text in texts { free(text) } }
    try Host.check(
      try more.understand(Host.currentCall, texts.map { UnsafePointer($0) }, keys.count),
      "naming keys of config.json")
  }
}

/// What enters the first layer (`ptune.input/1`).
public enum Input {
  /// Multiplies word embeddings where they enter the model and where adapters read them; rows that an adapter injects stay
  /// as they are. In a base model's `init` only.
  ///
  /// - Throws: ``ComponentFailure`` of a ptune that cannot.
  public static func scaleWords(by scale: Double) throws {
    guard let table = Host.tables.input?.pointee else { throw Host.lacks(PTUNE_INPUT_V1) }
    try Host.check(table.scale_words(Host.currentCall, Float(scale)), "scaling word embeddings")
  }
}
