import Synchronization

/// Digests of files that do not change while the process runs, such as plugins: each is read once.
public enum FileDigest {
  private static let known = Mutex<[String: String]>([:])

  /// The SHA-256 of a file, as 64 hexadecimal digits.
  public static func sha256(_ path: String) throws(FileError) -> String {
    if let digest = known.withLock({ $0[path] }) { return digest }
    let digest = try Fingerprint.ofFile(path)
    known.withLock { $0[path] = digest }
    return digest
  }
}
