import PTune
import PTuneFormats

/// A lock file: the plugins that may be opened, each with the SHA-256 of its file, or of each build of it. Files are known
/// by their names, so that a lock goes with a run file to other machines.
public struct PluginLock: Sendable {
  /// What is pinned.
  public struct Entry: Equatable, Sendable {
    /// The plugin's id, "org.example.my-method".
    public let id: String
    /// Its version.
    public let version: String
    /// The names of its components.
    public let components: [String]
    /// The SHA-256 of each file that is accepted, as 64 hexadecimal digits; at least one, the latest last.
    public let digests: [String]

    /// What is pinned of a plugin.
    public init(id: String, version: String, components: [String], digests: [String]) {
      (self.id, self.version, self.components, self.digests) = (id, version, components, digests)
    }
  }

  /// How a lock file is called.
  public static let fileName = "ptune.lock"
  private static let format = 1

  /// The file, as the user would name it.
  public let path: String
  /// What is pinned, by the names of files.
  public var entries: [String: Entry]

  /// A lock that is not written yet.
  public init(path: String, entries: [String: Entry] = [:]) { (self.path, self.entries) = (path, entries) }

  /// Where the lock of a run is: beside its run file; of the current folder, if there is no run file.
  public static func path(besideRun runFile: String?) -> String {
    guard let runFile, FilePath.folder(of: runFile) != "." else { return fileName }
    return FilePath.join(FilePath.folder(of: runFile), fileName)
  }

  /// Reads a lock file.
  ///
  /// - Throws: `FileError`, `JSONError` or ``PluginLockError``.
  public init(reading path: String) throws {
    let document = try JSONValue.read(path)
    func fail(_ why: String) -> PluginLockError { .malformed(file: path, why) }
    guard let format = document["ptune_lock"]?.intValue else { throw fail("it has no \"ptune_lock\"") }
    guard format == Self.format else { throw PluginLockError.otherFormat(file: path, format) }
    guard let plugins = document["plugins"]?.objectValue else { throw fail("it has no \"plugins\"") }
    self.init(path: path)
    for (file, value) in zip(plugins.keys, plugins.values) {
      let digests =
        value["sha256"]?.arrayValue?.map { $0.stringValue ?? "" } ?? [value["sha256"]?.stringValue ?? ""]
      guard !digests.isEmpty, digests.allSatisfy(Self.isDigest) else {
        throw fail("'\(file)' has no \"sha256\" of 64 hexadecimal digits, and no list of them")
      }
      let components = value["components"]?.arrayValue?.compactMap(\.stringValue) ?? []
      guard let id = value["id"]?.stringValue, let version = value["version"]?.stringValue,
        !components.isEmpty
      else { throw fail("'\(file)' lacks \"id\", \"version\" or \"components\"") }
      entries[file] = Entry(id: id, version: version, components: components, digests: digests)
    }
  }

  private static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Writes the file, in the order of names, so that it changes little from one time to the next.
  ///
  /// - Throws: `FileError`.
  public func write() throws {
    var plugins = JSONObject()
    for (file, entry) in entries.sorted(by: { $0.key < $1.key }) {
      plugins[file] = [
        "id": .string(entry.id), "version": .string(entry.version),
        "components": .array(entry.components.map { .string($0) }),
        "sha256": entry.digests.count == 1
          ? .string(entry.digests[0]) : .array(entry.digests.map { .string($0) }),
      ]
    }
    let document: JSONValue = ["ptune_lock": .int(Self.format), "plugins": .object(plugins)]
    try AtomicFile.write(document.text(.pretty), output: path, reading: [])
  }

  /// Pins a plugin as its file is now.
  ///
  /// - Parameter keepingOthers: whether files that were accepted under its name stay so: other builds of it.
  /// - Throws: `FileError`.
  public mutating func pin(
    _ plugin: PluginDescription, components: [String], keepingOthers: Bool
  ) throws {
    let digest = try FileDigest.sha256(plugin.file)
    let file = FilePath.name(of: plugin.file)
    let known = keepingOthers ? entries[file]?.digests ?? [] : []
    entries[file] = Entry(
      id: plugin.id, version: plugin.version, components: components.sorted(),
      digests: known.contains(digest) ? known : known + [digest])
  }

  /// The file that is meant by the name of a component, a plugin's id or a file's name.
  ///
  /// - Throws: ``PluginLockError/unknown(file:name:known:)``.
  public func file(named name: String) throws -> String {
    if entries[name] != nil { return name }
    if let found = entries.first(where: { $1.id == name || $1.components.contains(name) }) {
      return found.key
    }
    throw PluginLockError.unknown(
      file: path, name: name, known: entries.values.flatMap(\.components).sorted())
  }
}

extension PluginLock: PluginAdmission {
  /// Why a file is not among those that are pinned. Files of other names are not read.
  public func refusal(of file: String) -> Rejection.Reason? {
    guard let entry = entries[FilePath.name(of: file)] else { return .notLocked(lock: path) }
    do {
      let found = try FileDigest.sha256(file)
      return entry.digests.contains(found)
        ? nil : .changed(lock: path, names: entry.components, expected: entry.digests, found: found)
    } catch {
      return .unreadable("\(error)")
    }
  }
}

/// What is wrong with a lock file, or with what was asked of it.
public enum PluginLockError: Error, Equatable, Sendable {
  /// It says what no lock file says.
  case malformed(file: String, String)
  /// Another ptune wrote it.
  case otherFormat(file: String, Int)
  /// Nothing of this name is pinned.
  case unknown(file: String, name: String, known: [String])
  /// There is no lock file, and nothing to pin was named.
  case nothingToDo(file: String)
}

extension PluginLockError: HelpfulError {
  /// What is wrong, and where.
  public var description: String {
    switch self {
    case .malformed(let file, let why): "'\(file)' is not a lock file of ptune: \(why)"
    case .otherFormat(let file, let format): "'\(file)' has format \(format); this ptune knows format 1"
    case .unknown(let file, let name, _): "'\(file)' pins nothing called '\(name)'"
    case .nothingToDo(let file): "there is no '\(file)'"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .malformed: "restore the file, or remove it and write it again with `ptune lock`"
    case .otherFormat: "update ptune, or remove the file and write it again with `ptune lock`"
    case .unknown(_, let name, let known):
      Suggestion.nearest(name, among: known).map { "did you mean '\($0)'?" }
        ?? "it pins \(known.joined(separator: ", "))"
    case .nothingToDo: "name a run file to pin the plugins that it uses, or pin all with --all"
    }
  }
}
