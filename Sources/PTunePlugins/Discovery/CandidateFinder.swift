import PTuneLibc

#if canImport(Darwin)
  /// How the file name of a plugin ends.
  let pluginSuffix = "dylib"
#else
  /// How the file name of a plugin ends.
  let pluginSuffix = "so"
#endif

/// Looks through folders for files that may be plugins: everything that can be said without opening them as
/// libraries.
struct CandidateFinder {
  /// Files to probe, in the order of the search.
  private(set) var candidates: [String] = []
  private(set) var rejected: [Rejection]
  private(set) var shadowed: [Shadowed] = []
  private(set) var folders: [SearchedFolder] = []
  private var seenFolders: Set<FileIdentity> = []
  private var seenFiles: [FileIdentity: String] = [:]

  init(_ search: PluginSearch) {
    rejected = search.rejected
    for folder in search.folders { look(into: folder) }
  }

  private mutating func look(into folder: SearchFolder) {
    let path = folder.path
    switch status(of: path) {
    case .failure(let error):
      let isMissing = error.code == ENOENT || error.code == ENOTDIR
      if folder.isNamed || !isMissing {
        rejected.append(
          Rejection(path: path, reason: isMissing ? .missingFolder : .unreadable(systemMessage(error.code))))
      }
      folders.append(SearchedFolder(folder, isMissing ? .missing : .refused))
    case .success(let information):
      guard information.st_mode & S_IFMT == S_IFDIR else {
        rejected.append(Rejection(path: path, reason: .notAFolder))
        folders.append(SearchedFolder(folder, .refused))
        return
      }
      guard seenFolders.insert(FileIdentity(information)).inserted else { return }
      search(folder, information)
    }
  }

  private mutating func search(_ folder: SearchFolder, _ information: stat) {
    let files: [String]
    switch pluginFiles(in: folder.path) {
    case .success(let found): files = found
    case .failure(let error):
      rejected.append(Rejection(path: folder.path, reason: .unreadable(systemMessage(error.code))))
      folders.append(SearchedFolder(folder, .refused))
      return
    }
    if folder.isNamed || !files.isEmpty, let rejection = distrustedStep(to: folder.path, plugins: files.count)
    {
      rejected.append(rejection)
      folders.append(SearchedFolder(folder, .refused))
      return
    }
    // The executable's own folder may be anybody's business as long as no plugin lies there.
    if folder.isNamed || !files.isEmpty, let reason = distrust(information, .folder, plugins: files.count) {
      rejected.append(Rejection(path: folder.path, reason: reason))
      folders.append(SearchedFolder(folder, .refused))
      return
    }
    for file in files { examine(folder.path == "/" ? "/" + file : folder.path + "/" + file) }
    folders.append(SearchedFolder(folder, .searched(files: files.count)))
  }

  private mutating func examine(_ path: String) {
    switch status(of: path) {
    case .failure(let error):
      let target = error.code == ENOENT ? linkTarget(path) : nil
      let reason = target.map { Rejection.Reason.danglingLink(target: $0) }
      rejected.append(Rejection(path: path, reason: reason ?? .unreadable(systemMessage(error.code))))
    case .success(let information):
      if let rejection = refusal(of: path, information) {
        rejected.append(rejection)
      } else if let winner = seenFiles[FileIdentity(information)] {
        shadowed.append(Shadowed(path: path, winner: winner, reason: .sameFile))
      } else {
        seenFiles[FileIdentity(information)] = path
        candidates.append(path)
      }
    }
  }

  private func refusal(of path: String, _ information: stat) -> Rejection? {
    func rejection(_ reason: Rejection.Reason) -> Rejection { Rejection(path: path, reason: reason) }
    guard information.st_mode & S_IFMT == S_IFREG else { return rejection(.notAFile) }
    if let reason = distrust(information, .file) { return rejection(reason) }
    // A link may lead out of the folder that was checked, over other links and folders.
    if linkTarget(path) != nil {
      if let step = distrustedStep(to: path) { return step }
      if let real = resolved(path), case .success(let home) = status(of: folder(of: real)),
        let reason = distrust(home, .folder)
      {
        return rejection(reason)
      }
    }
    return contentProblem(path).map(rejection)
  }
}

/// The names of libptune_*.so in a folder, sorted by bytes.
private func pluginFiles(in path: String) -> Result<[String], SystemError> {
  guard let stream = opendir(path) else { return .failure(SystemError(code: errno)) }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
      String(cString: UnsafeRawPointer(field).assumingMemoryBound(to: CChar.self))
    }
    if name.hasPrefix("libptune_"), name.hasSuffix("." + pluginSuffix) { names.append(name) }
  }
  return .success(names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
}

/// Why a file is no shared library, by its first bytes; `nil` if it looks like one.
private func contentProblem(_ path: String) -> Rejection.Reason? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { return .unreadable(systemMessage(errno)) }
  defer { close(descriptor) }
  var bytes = [UInt8](repeating: 0, count: 64)
  let length = read(descriptor, &bytes, bytes.count)
  guard length >= 0 else { return .unreadable(systemMessage(errno)) }
  let head = bytes[..<length]
  if libraryMagics.contains(where: { head.starts(with: $0) }) { return otherMachine(Array(head)) }
  if head.isEmpty { return .notALibrary(found: .nothing) }
  let isText = head.allSatisfy { $0 >= 0x20 || (9...13).contains($0) }
  return .notALibrary(found: isText ? .text : .other)
}

/// Why a library cannot run here, by the header of an ELF file; nil if it can, or is none.
private func otherMachine(_ head: [UInt8]) -> Rejection.Reason? {
  guard head.count >= 20, head.starts(with: [0x7F, 0x45, 0x4C, 0x46]), let own = ELFMachine.own else {
    return nil
  }
  let isBig = head[5] == 2
  let found = ELFMachine(
    bits: head[4] == 1 ? 32 : 64, isBigEndian: isBig,
    number: isBig
      ? UInt16(head[18]) << 8 | UInt16(head[19]) : UInt16(head[19]) << 8 | UInt16(head[18]))
  return found == own ? nil : .otherMachine(found: found.description, own: own.description)
}

#if canImport(Darwin)
  /// 64-bit Mach-O, and a universal file of several.
  private let libraryMagics: [[UInt8]] = [[0xCF, 0xFA, 0xED, 0xFE], [0xCA, 0xFE, 0xBA, 0xBE]]
#else
  /// ELF.
  private let libraryMagics: [[UInt8]] = [[0x7F, 0x45, 0x4C, 0x46]]
#endif
