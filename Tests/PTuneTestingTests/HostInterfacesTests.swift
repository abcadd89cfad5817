import CPTune
import Foundation
import PTunePlugins
import PTuneTesting
import Testing

@Suite("The interfaces that the probe offers")
struct HostInterfacesTests {
  @Test("are all that the headers define and the host has, so that no plugin is refused for one")
  func complete() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let headers = try ["ptune.h", "ptune_1_1.h"].map {
      try String(contentsOf: root.appending(path: "Sources/CPTune/include/\($0)"), encoding: .utf8)
    }
    let defined = headers.flatMap { header in
      header.matches(of: /#define PTUNE_\w+_V\d "(ptune\.\w+\/\d)"/).map { String($0.1) }
    }
    // Recommendations, and the versions that are read, are what components offer, not the host.
    let expected = Set(defined).subtracting([PTUNE_RECOMMENDATION_V1, PTUNE_READS_V1])
    #expect(expected.count > 10)
    #expect(Set(HostInterfaces.ids) == expected)
    let host = TestHost.connect()
    for id in expected { #expect(host.pointee.interface_for(id) != nil, "\(id)") }
  }
}
