/// Paths as text, without a look at the disk.
public enum FilePath {
  /// The folder part: "a" for "a/b", "." for "b", "/" for "/b".
  public static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    let folder = String(path[..<slash])
    return folder.isEmpty ? "/" : folder
  }

  /// Whether a file can have this path. The system would end a text at a zero byte, and take the rest for another file.
  static func isPossible(_ path: String) -> Bool { !path.utf8.contains(0) }

  /// The last part: "b.txt" for "a/b.txt".
  public static func name(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
  }

  /// The last part without its extension: "b" for "a/b.txt".
  public static func stem(of path: String) -> String {
    let name = name(of: path)
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }

  /// `path` seen from `folder`: itself if it is absolute.
  public static func join(_ folder: String, _ path: String) -> String {
    if path.utf8.first == UInt8(ascii: "/") || folder.isEmpty { return path }
    return folder.utf8.last == UInt8(ascii: "/") ? folder + path : "\(folder)/\(path)"
  }

  /// Without "." and ".." parts and double slashes, as far as that is possible without links being followed.
  public static func normalised(_ path: String) -> String {
    let absolute = path.utf8.first == UInt8(ascii: "/")
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == "..", let last = parts.last, last != ".." {
        parts.removeLast()
      } else if part != ".." || !absolute {
        parts.append(part)
      }
    }
    let joined = parts.joined(separator: "/")
    return absolute ? "/\(joined)" : joined.isEmpty ? "." : joined
  }
}
