/// What a base model is recognised by, so that an adapter can refuse to run on another one.
///
/// `weights` is SHA-256 over the tensors in the order of their names: of each a line "name type shape" and a sample
/// of its bytes. The sample is all of them up to 64 KB, else four blocks of 16 KB, the first at the
/// beginning, the last at the end, the others evenly between. So the same weights have the same fingerprint
/// however they are sharded, ordered or commented on, and taking it reads a few megabytes of any model. It
/// tells models apart; it does not protect from someone who alters a model on purpose.
///
/// `config` is SHA-256 over config.json with sorted keys, without the keys that only say where it came from.
public struct Fingerprint: Equatable, Sendable {
  /// 64 hexadecimal digits.
  public let weights: String
  /// 64 hexadecimal digits.
  public let config: String

  /// A fingerprint that was taken before.
  public init(weights: String, config: String) {
    self.weights = weights
    self.config = config
  }

  /// Takes the fingerprint of a base model.
  public init(_ checkpoint: Checkpoint, _ config: ModelConfig) {
    self.init(checkpoint.contents.lazy.map { ($0.name, $0.type.rawValue, $0.shape, $1) }, config)
    withExtendedLifetime(checkpoint) {}
  }

  /// Takes the fingerprint of tensors, in the order of their names.
  init(
    _ tensors: some Sequence<(name: String, type: String, shape: [Int], bytes: UnsafeRawBufferPointer)>,
    _ config: ModelConfig
  ) {
    weights = Self.weights(of: tensors)
    self.config = Self.digest(of: config)
  }

  /// SHA-256 of a whole file, as 64 hexadecimal digits.
  public static func ofFile(_ path: String) throws(FileError) -> String {
    try MappedFile(path).withBytes { of($0) }
  }

  /// SHA-256 of bytes, as 64 hexadecimal digits.
  public static func of(_ bytes: UnsafeRawBufferPointer) -> String {
    var digest = SHA256()
    digest.update(bytes)
    return digest.hexadecimal()
  }

  private static let blockSize = 16 << 10
  private static let blockCount = 4
  private static let provenance = ["_name_or_path", "_commit_hash", "transformers_version"]

  private static func weights(
    of tensors: some Sequence<(name: String, type: String, shape: [Int], bytes: UnsafeRawBufferPointer)>
  ) -> String {
    var digest = SHA256()
    for (name, type, shape, bytes) in tensors {
      let shape = shape.map(String.init).joined(separator: ",")
      digest.update("\(name) \(type) [\(shape)]\n")
      if bytes.count <= blockSize * blockCount {
        digest.update(bytes)
      } else {
        for block in 0..<blockCount {
          let start = (bytes.count - blockSize) / (blockCount - 1) * block
          let last = block == blockCount - 1
          let from = last ? bytes.count - blockSize : start
          digest.update(UnsafeRawBufferPointer(rebasing: bytes[from..<from + blockSize]))
        }
      }
    }
    return digest.hexadecimal()
  }

  private static func digest(of config: ModelConfig) -> String {
    var members = config.members
    for key in provenance { members[key] = nil }
    var digest = SHA256()
    digest.update(JSONValue.object(members).bytes(JSONStyle(indentation: nil, sortedKeys: true)))
    return digest.hexadecimal()
  }
}
