import Foundation
import Testing

@testable import PTunePlugins

@Suite("Discovery")
struct DiscoveryTests {
  @Test("folders are searched in the documented order, each once")
  func order() {
    let search = PluginSearch(
      options: ["/opt/mine/", "/opt/mine"],
      environment: [
        "PTUNE_PLUGIN_PATH": "/env/one:relative/two::/env/../env/three", "XDG_DATA_HOME": "/data",
        "HOME": "/home/ada",
      ], executable: "/opt/ptune/bin/ptune")
    #expect(
      search.folders == [
        SearchFolder(path: "/opt/mine", origin: .option),
        SearchFolder(path: "/env/one", origin: .environment),
        SearchFolder(path: "/env/three", origin: .environment),
        SearchFolder(path: "/data/ptune/plugins", origin: .user),
        SearchFolder(path: "/opt/ptune/lib/ptune/plugins", origin: .installation),
        SearchFolder(path: "/opt/ptune/bin", origin: .executable),
        SearchFolder(path: "/usr/local/lib/ptune/plugins", origin: .system),
        SearchFolder(path: "/usr/lib/ptune/plugins", origin: .system),
      ])
    #expect(search.rejected.map(\.path) == ["relative/two"])
    #expect(search.rejected.first?.help?.hasSuffix("/relative/two") == true)
  }

  @Test(
    "the user's data folder is XDG_DATA_HOME if it is absolute, else the one in HOME",
    arguments: [
      (["HOME": "/home/ada"], ["/home/ada/.local/share/ptune/plugins"]),
      (["HOME": "/home/ada", "XDG_DATA_HOME": "data"], ["/home/ada/.local/share/ptune/plugins"]),
      ([:], []),
    ] as [([String: String], [String])])
  func userFolder(environment: [String: String], expected: [String]) {
    let folders = PluginSearch(environment: environment, executable: nil).folders
    #expect(folders.filter { $0.origin == .user }.map(\.path) == expected)
  }

  @Test("a relative --plugin-path counts from the current folder")
  func relativeOption() {
    let first = PluginSearch(options: ["plugins"], environment: [:], executable: nil).folders[0]
    #expect(first.path == FileManager.default.currentDirectoryPath + "/plugins")
  }

  @Test("only what root or the user alone can write to is trusted")
  func trust() {
    func file(mode: mode_t, user: uid_t = geteuid(), group: gid_t = 0) -> stat {
      var information = stat()
      (information.st_mode, information.st_uid, information.st_gid) = (mode, user, group)
      return information
    }
    let stranger = geteuid() + 7
    #expect(distrust(file(mode: 0o755), .file) == nil)
    #expect(distrust(file(mode: 0o755, user: 0), .folder) == nil)
    #expect(distrust(file(mode: 0o775, group: 0), .file) == nil)
    #expect(distrust(file(mode: 0o757), .file) == .writable(by: .everyone, what: .file, plugins: 0))
    #expect(
      distrust(file(mode: 0o775, group: 4321), .folder, plugins: 2)
        == .writable(by: .group(4321), what: .folder, plugins: 2))
    #expect(
      distrust(file(mode: 0o755, user: stranger), .file) == .otherOwner(stranger, what: .file, plugins: 0))
    let rejection = Rejection(path: "/p", reason: .otherOwner(54321, what: .folder, plugins: 2))
    #expect(
      rejection.description
        == "/p: the folder belongs to user 54321, who is neither you nor root; its 2 plugins were ignored"
    )
  }

  @Test("a named folder that is missing or no folder is an error, another one is not")
  func missing() throws {
    let workshop = try Workshop()
    let file = workshop.folder + "/file"
    try Data().write(to: URL(fileURLWithPath: file))
    let inventory = try workshop.scan([workshop.folder + "/none", file])
    #expect(
      inventory.rejected == [
        Rejection(path: workshop.folder + "/none", reason: .missingFolder),
        Rejection(path: file, reason: .notAFolder),
      ])
  }

  @Test("only libptune_*.so counts, in the order of the bytes of the names")
  func names() throws {
    let workshop = try Workshop()
    for name in ["b", "a", "B"] {
      try workshop.build("good", as: name, defines: ["ID=\"org.example.\(name)\""])
    }
    for name in ["libother.\(pluginSuffix)", "libptune_x.txt", "ptune_x.\(pluginSuffix)"] {
      try Data().write(to: URL(fileURLWithPath: workshop.folder + "/" + name))
    }
    let inventory = try workshop.scan([workshop.folder])
    #expect(inventory.plugins.map(\.id) == ["org.example.B", "org.example.a", "org.example.b"])
    #expect(inventory.rejected.isEmpty)
  }

  @Test("messages of the probe survive being cut anywhere, and rubbish is noticed")
  func messages() {
    let report = PluginReport(
      id: "a", version: "", runtime: "c",
      components: [.init(kind: 2, name: "n", summary: "", schema: "n()", documentation: "é", needs: "")])
    let all: [ProbeMessage] = [
      .opening(index: 0), .entering(index: 0), .described(index: 0, report),
      .refused(index: 1, .cannotOpen("why")),
      .refused(index: 2, .noEntry), .refused(index: 3, .otherInterface(2)),
      .refused(index: 4, .entryFailed("")),
      .refused(index: 5, .badDescription("x")), .done,
    ]
    var reader = ProbeMessageReader()
    #expect(all.flatMap(\.encoded).flatMap { reader.read([$0]) } == all)
    #expect(reader.read(all[0].encoded + Array("hello\0".utf8) + all[1].encoded) == [all[0]])
    #expect(reader.isGarbled)
  }
}
