import CPTunePlatform
import PTuneLibc

/// The probe's child process: it opens plugins one after the other and reports on each, so that a plugin that
/// crashes takes nobody else down.
public enum PluginProbe {
  static let command = "__probe-plugins"
  /// Set in the child, where nothing may start another probe.
  static let mark = "PTUNE_PROBE_CHILD"

  /// Becomes the probe and does not return, if that is what this process was started for.
  ///
  /// An executable that uses `PluginScanner` calls this first of all: the scanner starts the same executable
  /// anew for the probe.
  public static func runIfAsked(arguments: [String] = CommandLine.arguments, version: String) {
    guard arguments.count > 2, arguments[1] == command, getenv(mark) != nil else { return }
    ptune_become_child(pid_t(arguments[2]) ?? 0)
    let host = ProbeHost.table(version: version)
    let ownProcess = getpid()
    for (index, file) in arguments.dropFirst(3).enumerated() {
      writeAll("\n\(outputMark)\(index)\n".utf8.map { $0 }, to: 2)
      send(.opening(index: index))
      do throws(ProbeMessage.Refusal) {
        let library = try PluginLibrary(opening: file)
        // NB: a plugin that forks leaves two probes; the copy must not report.
        if getpid() != ownProcess { _exit(0) }
        let entry = try library.entry()
        send(.entering(index: index))
        let plugin = entry(host)
        if getpid() != ownProcess { _exit(0) }
        let why = ProbeHost.takeFailure()
        guard let plugin else { throw .entryFailed(why ?? "it does not say why") }
        do throws(DescriptionError) {
          send(.described(index: index, try PluginReport(reading: plugin)))
        } catch {
          throw .badDescription(error.text)
        }
      } catch {
        send(.refused(index: index, error))
      }
    }
    send(.done)
    // NB: without running the destructors and exit handlers of the plugins.
    _exit(0)
  }

  /// Calls a plugin's entry function with a host of another major version that has no interface: what it says when
  /// it refuses, nil if it does not mind. In a process of its own, since an entry function runs once.
  ///
  /// - Throws: ``Rejection`` if the file cannot be opened or has no entry function.
  package static func enterWithoutInterfaces(_ file: String) throws(Rejection) -> String? {
    do throws(ProbeMessage.Refusal) {
      let entry = try PluginLibrary(opening: file).entry()
      if entry(ProbeHost.bareTable()) != nil { return nil }
      return ProbeHost.takeFailure() ?? ""
    } catch {
      throw Rejection(path: file, reason: Rejection.Reason(error))
    }
  }

  /// Begins the line on standard error after which the output is that of the plugin whose number follows.
  static let outputMark = "\u{1}ptune-probe "

  private static func send(_ message: ProbeMessage) {
    writeAll(message.encoded, to: 3)
  }
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
  var rest = bytes[...]
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if written > 0 { rest.removeFirst(written) } else if errno != EINTR { _exit(1) }
  }
}
