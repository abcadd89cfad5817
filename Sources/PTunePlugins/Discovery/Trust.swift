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
