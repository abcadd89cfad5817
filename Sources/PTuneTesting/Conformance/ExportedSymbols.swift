import PTuneFormats

/// The names that a shared library exports, from its dynamic symbol table (ELF-64, System V ABI, chapter 4).
public enum ExportedSymbols {
  /// What linkers define themselves and some of them, such as gold, export: ends of sections and the functions that run
  /// when a library comes and goes. Each library has its own, and nothing looks them up.
  private static let fromLinker: Set = [
    "__bss_start", "__bss_start__", "__bss_end__", "_bss_end__", "__end__", "_edata", "edata", "_end", "end",
    "_etext", "etext", "__etext", "_init", "_fini",
  ]

  /// Whether a plugin exports its entry function and nothing else: another symbol can meet one of the same name in
  /// another plugin, or in ptune.
  ///
  /// - Throws: `FileError` if the file cannot be read.
  public static func check(_ file: String) throws -> ConformanceResult {
    let title = "it exports only its entry function"
    let names = try MappedFile(file).withBytes { ELFReader(bytes: $0)?.exported() }
    guard let names else {
      return ConformanceResult(title, .skipped, "only 64-bit little-endian ELF files are read")
    }
    let own = names.filter { !fromLinker.contains($0) }
    let others = own.filter { !$0.hasPrefix("ptune_plugin_entry_v") }.sorted()
    guard !others.isEmpty else { return ConformanceResult(title, .passed, own.joined(separator: ", ")) }
    let shown = others.prefix(3).joined(separator: ", ")
    let more = others.count > 3 ? " and \(others.count - 3) more" : ""
    return ConformanceResult(
      title, .failed, "it exports \(shown)\(more) too; hide them by -fvisibility=hidden or a version script")
  }
}

/// What is read of an ELF file. Everything is checked against the file's size.
private struct ELFReader {
  private let bytes: UnsafeRawBufferPointer

  /// Nil for a file that is no 64-bit little-endian ELF file.
  init?(bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 64, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]) else { return nil }
    self.bytes = bytes
  }

  private func read<Value: FixedWidthInteger>(_ offset: Int, as type: Value.Type) -> Value? {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<Value>.size else { return nil }
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  private func place(_ offset: Int) -> Int? { read(offset, as: UInt64.self).flatMap { Int(exactly: $0) } }

  private func text(_ offset: Int) -> String? {
    guard offset >= 0, offset < bytes.count, let end = bytes[offset...].firstIndex(of: 0) else { return nil }
    return String(decoding: bytes[offset..<end], as: UTF8.self)
  }

  /// The defined global and weak names; nil if the file has no section of dynamic symbols.
  func exported() -> [String]? {
    guard let sections = place(0x28), let size = read(0x3A, as: UInt16.self).map(Int.init),
      let count = read(0x3C, as: UInt16.self).map(Int.init), size >= 64, sections <= bytes.count
    else { return nil }
    let headers = (0..<count).map { sections + $0 * size }
    let dynamicSymbols: UInt32 = 11
    guard let table = headers.first(where: { read($0 + 4, as: UInt32.self) == dynamicSymbols }),
      let begin = place(table + 0x18), let length = place(table + 0x20), begin <= bytes.count,
      length <= bytes.count - begin,
      let link = read(table + 0x28, as: UInt32.self).map(Int.init), headers.indices.contains(link),
      let strings = place(headers[link] + 0x18), strings <= bytes.count
    else { return nil }
    return stride(from: begin, to: begin + length - 23, by: 24).compactMap { symbol -> String? in
      guard let info = read(symbol + 4, as: UInt8.self), let other = read(symbol + 5, as: UInt8.self),
        let section = read(symbol + 6, as: UInt16.self), let name = read(symbol, as: UInt32.self)
      else { return nil }
      let (binding, visibility) = (info >> 4, other & 3)
      let isSeen = (binding == 1 || binding == 2) && (visibility == 0 || visibility == 3) && section != 0
      return isSeen ? text(strings + Int(name)) : nil
    }
  }
}
