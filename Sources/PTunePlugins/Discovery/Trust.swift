import PTuneLibc

/// Why a file or folder might hold code of somebody else than root and the user; `nil` if it cannot.
///
/// Some systems give each user a group of their own and let it write: such a group, whose number is the user's,
/// and root's group count as the user and root.
func distrust(_ information: stat, _ what: Rejection.Place, plugins: Int = 0) -> Rejection.Reason? {
  let user = geteuid()
  guard information.st_uid == 0 || information.st_uid == user else {
    return .otherOwner(UInt32(information.st_uid), what: what, plugins: plugins)
  }
  if information.st_mode & S_IWOTH != 0 { return .writable(by: .everyone, what: what, plugins: plugins) }
  let group = information.st_gid
  if information.st_mode & S_IWGRP != 0, group != 0, group != getegid() || group != user {
    return .writable(by: .group(UInt32(group)), what: what, plugins: plugins)
  }
  return nil
}

/// The first folder or link on the way to a file through which somebody else could put a file of his own in its place;
/// `nil` if there is none. The last part of the path itself is not looked at, unless it is a link.
///
/// A folder like /tmp, whose entries only their owners may move, will do: the next part has to be the user's then.
func distrustedStep(to path: String, plugins: Int = 0) -> Rejection? {
  var (here, links) = ("", 0)
  var rest = absolute(path).split(separator: "/").map(String.init)
  while !rest.isEmpty {
    let part = rest.removeFirst()
    if part == "." { continue }
    if part == ".." {
      here = folder(of: here)
      if here == "/" || here == "." { here = "" }
      continue
    }
    let next = "\(here)/\(part)"
    var information = stat()
    guard lstat(next, &information) == 0 else { return nil }
    if information.st_mode & S_IFMT == S_IFLNK {
      guard information.st_uid == 0 || information.st_uid == geteuid() else {
        let reason = Rejection.Reason.otherOwner(UInt32(information.st_uid), what: .link, plugins: plugins)
        return Rejection(path: next, reason: reason)
      }
      links += 1
      guard links <= 40, let target = linkTarget(next) else { return nil }
      rest = target.split(separator: "/").map(String.init) + rest
      if target.hasPrefix("/") { here = "" }
      continue
    }
    if !rest.isEmpty, let reason = distrust(information, .folder, plugins: plugins) {
      // NB: of somebody else's folder even the sticky bit is his own to take away.
      if case .writable = reason, information.st_mode & S_ISVTX != 0 {
      } else {
        return Rejection(path: next, reason: reason)
      }
    }
    here = next
  }
  return nil
}

/// What a symbolic link points to; `nil` if the path is no link.
func linkTarget(_ path: String) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
    guard let start = buffer.baseAddress, case let length = readlink(path, start, buffer.count), length >= 0
    else {
      return nil
    }
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

private func absolute(_ path: String) -> String {
  guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
  defer { free(current) }
  return "\(String(cString: current))/\(path)"
}
