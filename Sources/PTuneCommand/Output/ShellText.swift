/// Words of a command line to be copied.
enum ShellText {
  /// The word as a shell takes it: between quotes if it holds anything that a shell reads.
  static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
          || byte >= 0x80
          || "-_./,:@%+=".utf8.contains(byte)
      }
    return isPlain
      ? word
      : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
