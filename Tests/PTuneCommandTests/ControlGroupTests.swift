import Foundation
import Testing

@testable import PTuneCommand

@Suite("Control groups") struct ControlGroupTests {
  private func groups(_ desk: Desk, _ files: [String: String]) throws -> ControlGroups {
    for (name, text) in files {
      let path = "\(desk.folder)/root/\(name)"
      try FileManager.default.createDirectory(
        atPath: URL(filePath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(filePath: path))
    }
    return ControlGroups(root: "\(desk.folder)/root")
  }

  @Test("of version 2: the lowest limit of the group and of those it lies in counts")
  func second() throws {
    let found = try groups(
      Desk(),
      [
        "proc/self/cgroup": "0::/system.slice/work.service\n",
        "sys/fs/cgroup/system.slice/work.service/memory.max": "8589934592\n",
        "sys/fs/cgroup/system.slice/work.service/memory.current": "1073741824\n",
        "sys/fs/cgroup/system.slice/work.service/cpu.max": "max 100000\n",
        "sys/fs/cgroup/system.slice/memory.max": "4294967296\n",
        "sys/fs/cgroup/system.slice/memory.current": "2147483648\n",
        "sys/fs/cgroup/system.slice/cpu.max": "150000 100000\n",
      ])
    #expect(found.memory?.limit == 4 << 30 && found.memory?.used == 2 << 30)
    #expect(found.processors == 1.5)
  }

  @Test("of version 2 in a container: its own group is at the root")
  func container() throws {
    let found = try groups(
      Desk(),
      [
        "proc/self/cgroup": "0::/../../work\n", "sys/fs/cgroup/memory.max": "2147483648\n",
        "sys/fs/cgroup/cpu.max": "50000 100000\n",
      ])
    #expect(found.memory?.limit == 2 << 30 && found.memory?.used == nil)
    #expect(found.processors == 0.5)
  }

  @Test("of version 1: memory and processors are groups of their own")
  func first() throws {
    let found = try groups(
      Desk(),
      [
        "proc/self/cgroup": "4:memory:/a/b\n2:cpu,cpuacct:/c\n1:name=systemd:/\n0::/\n",
        "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "3221225472\n",
        "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "1000000\n",
        "sys/fs/cgroup/cpu/c/cpu.cfs_quota_us": "200000\n",
        "sys/fs/cgroup/cpu/c/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      ])
    #expect(found.memory?.limit == 3 << 30 && found.memory?.used == 1_000_000)
    #expect(found.processors == 2)
  }

  @Test("without limits, and where there are no such groups, nothing is limited")
  func none() throws {
    let unlimited = try groups(
      Desk(),
      [
        "proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n",
        "sys/fs/cgroup/a/cpu.max": "max 100000\n",
      ])
    #expect(unlimited.memory == nil && unlimited.processors == nil)
    let elsewhere = try groups(Desk(), [:])
    #expect(elsewhere.memory == nil && elsewhere.processors == nil)
  }

  @Test("doctor tells a limit on address space")
  func addressSpace() throws {
    let outcome = try Desk().shell("ulimit -v 4194304; ptune doctor")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("limited to 4.0 GiB of address space by ulimit -v"), "\(outcome.output)")
  }
}
