import PTuneFormats

/// A file on its way to the hub.
struct PushedFile {
  /// Its name in the repository.
  let name: String
  let content: MappedFile

  var size: Int { content.unsafeBytes.count }

  /// The SHA-256 that large files go by.
  var sha256: String {
    var hash = SHA256()
    content.withBytes { hash.update($0) }
    return hash.hexadecimal()
  }

  /// The adapter's files in a folder, as ptune or PEFT wrote it.
  ///
  /// - Throws: ``HubError`` for another folder, `FileError` for files that cannot be read.
  static func adapter(in folder: String) throws -> [PushedFile] {
    let weights = "adapter_model.safetensors"
    func has(_ name: String) -> Bool { FileSystem.isFile(FilePath.join(folder, name)) }
    // NB: a folder that came from elsewhere must not send what it points to.
    if let link = DownloadChoice.adapterFiles.first(where: { FileSystem.isLink(FilePath.join(folder, $0)) }) {
      throw HubError(.linkInAdapter(FilePath.join(folder, link), folder: folder))
    }
    guard has(DownloadChoice.adapterConfig), has(weights) else {
      throw HubError(.notAnAdapter(folder: folder))
    }
    return try DownloadChoice.adapterFiles.filter(has).map {
      PushedFile(name: $0, content: try MappedFile(FilePath.join(folder, $0), followsLink: false))
    }
  }
}

/// The base64 of RFC 4648, section 4.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encoded(_ bytes: UnsafeRawBufferPointer) -> String {
    var result: [UInt8] = []
    result.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      let bits = (0..<3).reduce(0) { $0 << 8 | ($1 < count ? Int(bytes[start + $1]) : 0) }
      for place in 0..<4 {
        result.append(place <= count ? alphabet[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
