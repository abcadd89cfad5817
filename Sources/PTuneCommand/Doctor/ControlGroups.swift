#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What Linux's control groups leave this process: a container or a service is limited by them, and nothing else shows it.
///
/// A group is limited by those it lies in as well, so the lowest limit counts. Both versions of control groups are read; within a
/// container its own group may stand where the root's would.
struct ControlGroups {
  /// The lowest limit on memory in bytes, and what is in use under it; nil without one.
  let memory: (limit: UInt64, used: UInt64?)?
  /// How many processors' time may be used; nil without a limit.
  let processors: Double?

  /// Those of this process.
  ///
  /// - Parameter root: the folder that `proc` and `sys` lie in.
  init(root: String = "") {
    var memory: (limit: UInt64, used: UInt64?)?
    var processors: Double?
    for group in Self.groups(root) {
      if let limit = group.memoryLimit, limit < memory?.limit ?? .max { memory = (limit, group.memoryUsed) }
      if let limit = group.processors, limit < processors ?? .infinity { processors = limit }
    }
    (self.memory, self.processors) = (memory, processors)
  }

  /// The groups of the process and all that they lie in.
  private static func groups(_ root: String) -> [Group] {
    let mounts = root + "/sys/fs/cgroup"
    var groups: [Group] = []
    for line in lines(root + "/proc/self/cgroup") {
      // "ID:CONTROLLERS:PATH"; version 2 has the id 0 and no controllers.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let controllers = fields[1].split(separator: ",")
      let version: Group.Version
      let mount: String
      if controllers.isEmpty {
        (version, mount) = (.two, mounts)
      } else if let controller = controllers.first(where: { $0 == "memory" || $0 == "cpu" }) {
        // Several controllers share a mount, which has a link for each.
        (version, mount) = (.one, "\(mounts)/\(controller)")
      } else {
        continue
      }
      var parts = fields[2].split(separator: "/").filter { $0 != ".." }
      while true {
        groups.append(
          Group(version: version, folder: ([mount] + parts.map(String.init)).joined(separator: "/")))
        if parts.popLast() == nil { break }
      }
    }
    return groups
  }

  private struct Group {
    enum Version { case one, two }
    let version: Version
    let folder: String

    var memoryLimit: UInt64? {
      switch version {
      // "max" where there is none.
      case .two: number("memory.max")
      // Nearly 2^63 where there is none.
      case .one: number("memory.limit_in_bytes").flatMap { $0 < 1 << 60 ? $0 : nil }
      }
    }

    var memoryUsed: UInt64? { number(version == .two ? "memory.current" : "memory.usage_in_bytes") }

    var processors: Double? {
      let quota: Double?
      let period: Double?
      switch version {
      case .two:
        // "QUOTA PERIOD" in microseconds, or "max PERIOD".
        let fields = lines("\(folder)/cpu.max").first?.split(separator: " ") ?? []
        (quota, period) = (fields.first.flatMap { Double($0) }, fields.last.flatMap { Double($0) })
      case .one:
        // -1 where there is none.
        (quota, period) = (
          number("cpu.cfs_quota_us").map(Double.init), number("cpu.cfs_period_us").map(Double.init)
        )
      }
      guard let quota, let period, quota > 0, period > 0 else { return nil }
      return quota / period
    }

    private func number(_ file: String) -> UInt64? { lines("\(folder)/\(file)").first.flatMap { UInt64($0) } }
  }
}

private func lines(_ path: String) -> [Substring] {
  guard let data = FileManager.default.contents(atPath: path) else { return [] }
  return String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline)
}
