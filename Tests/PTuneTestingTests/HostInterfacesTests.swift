import CPTune
import Foundation
import PTunePlugins
import PTuneTesting
import Testing

@Suite("The interfaces that the probe offers")
struct HostInterfacesTests {
  @Test("are all that the header defines and the host has, so that no plugin is refused for one")
  func complete() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let header = try String(
      contentsOf: root.appending(path: "Sources/CPTune/include/ptune.h"), encoding: .utf8)
    let defined = header.matches(of: /#define PTUNE_\w+_V1 "(ptune\.\w+\/1)"/).map { String($0.1) }
    // A recommendation is what a component offers, not the host.
    let expected = Set(defined).subtracting([PTUNE_RECOMMENDATION_V1])
    #expect(expected.count > 10)
    #expect(Set(HostInterfaces.ids) == expected)
    let host = TestHost.connect()
    for id in expected { #expect(host.pointee.interface_for(id) != nil, "\(id)") }
  }
}
