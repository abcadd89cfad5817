import PTuneFormats

/// The checksum that an ETag of the hub stands for: SHA-256 for large files, git's SHA-1 of a blob for others.
enum BlobChecksum {
  case sha256(SHA256, expected: String)
  case gitBlob(SHA1, expected: String)
  /// The tag is of another kind, as mirrors have them; then the size alone is compared.
  case none

  /// - Parameters:
  ///   - tag: the ETag.
  ///   - size: of the file, which git's checksum begins with.
  init(tag: String, size: Int?) {
    let isHexadecimal = tag.utf8.allSatisfy { byte in
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
    switch (isHexadecimal, tag.utf8.count, size) {
    case (true, 64, _): self = .sha256(SHA256(), expected: tag)
    case (true, 40, let size?):
      var hash = SHA1()
      hash.update(Array("blob \(size)\0".utf8))
      self = .gitBlob(hash, expected: tag)
    default: self = .none
    }
  }

  /// Takes in bytes of the file.
  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    switch self {
    case .sha256(var hash, let expected):
      // Not held twice meanwhile: the digest's arrays would be copied.
      self = .none
      hash.update(bytes)
      self = .sha256(hash, expected: expected)
    case .gitBlob(var hash, let expected):
      self = .none
      hash.update(bytes)
      self = .gitBlob(hash, expected: expected)
    case .none: break
    }
  }

  /// What is wrong, as what was expected and what was found; nil if nothing is.
  var mismatch: (expected: String, found: String)? {
    let (expected, found): (String, String)
    switch self {
    case .sha256(let hash, let wanted): (expected, found) = (wanted, hash.hexadecimal())
    case .gitBlob(let hash, let wanted): (expected, found) = (wanted, hash.hexadecimal())
    case .none: return nil
    }
    return expected == found ? nil : (expected, found)
  }
}
