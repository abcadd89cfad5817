import PTuneLibc

/// A folder in which plugins are looked for.
public struct SearchFolder: Hashable, Sendable {
  /// Why a folder is searched.
  public enum Origin: String, Sendable {
    /// The option `--plugin-path`.
    case option = "--plugin-path"
    /// The environment variable `PTUNE_PLUGIN_PATH`.
    case environment = "PTUNE_PLUGIN_PATH"
    /// The user's data folder.
    case user = "user"
    /// Where the running executable was installed.
    case installation = "installation"
    /// The running executable's own folder, where `swift build` puts plugins.
    case executable = "executable"
    /// A prefix that every program on the machine uses.
    case system = "system"
  }

  /// An absolute path.
  public let path: String
  /// Why it is searched.
  public let origin: Origin

  /// A folder to search.
  public init(path: String, origin: Origin) {
    self.path = path
    self.origin = origin
  }

  /// Whether the user named it: then it is worth a word that it is missing.
  var isNamed: Bool { origin == .option || origin == .environment }
}

/// The folders in which plugins are looked for, the first one winning; never the current folder, never those of
/// the dynamic linker.
public struct PluginSearch: Sendable {
  /// In the order of the search.
  public let folders: [SearchFolder]
  /// Entries that cannot be searched.
  public let rejected: [Rejection]

  /// The folders for a command's options and environment.
  ///
  /// - Parameters:
  ///   - options: the arguments of `--plugin-path`, which may be relative.
  ///   - environment: read for `PTUNE_PLUGIN_PATH` (absolute entries between colons), `XDG_DATA_HOME` and `HOME`.
  ///   - executable: its path; its folder and `../lib/ptune/plugins` are searched.
  public init(options: [String] = [], environment: [String: String], executable: String?) {
    var folders: [SearchFolder] = []
    var rejected: [Rejection] = []
    func add(_ path: String, _ origin: SearchFolder.Origin) {
      let path = normalized(path)
      if !folders.contains(where: { $0.path == path }) {
        folders.append(SearchFolder(path: path, origin: origin))
      }
    }
    for option in options { add(absolute(option), .option) }
    for entry in environment["PTUNE_PLUGIN_PATH", default: ""].split(separator: ":").map(String.init) {
      if entry.hasPrefix("/") {
        add(entry, .environment)
      } else {
        rejected.append(
          Rejection(path: entry, reason: .relativeFolder(absolute: normalized(absolute(entry)))))
      }
    }
    if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") {
      add(data + "/ptune/plugins", .user)
    } else if let home = environment["HOME"], home.hasPrefix("/") {
      add(home + "/.local/share/ptune/plugins", .user)
    }
    if let executable {
      let own = folder(of: executable)
      add(own + "/../lib/ptune/plugins", .installation)
      add(own, .executable)
    }
    add("/usr/local/lib/ptune/plugins", .system)
    add("/usr/lib/ptune/plugins", .system)
    self.folders = folders
    self.rejected = rejected
  }
}

private func absolute(_ path: String) -> String {
  guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
  defer { free(current) }
  return String(cString: current) + "/" + path
}

/// An absolute path without `.`, `..` and doubled slashes.
private func normalized(_ path: String) -> String {
  var parts: [Substring] = []
  for part in path.split(separator: "/") where part != "." {
    if part == "..", !parts.isEmpty { parts.removeLast() } else if part != ".." { parts.append(part) }
  }
  return "/" + parts.joined(separator: "/")
}
