import ArgumentParser
import PTuneFormats
import PTuneHub
import PTuneLibc
import PTuneTerminal
import PTuneVisibleText

/// What commands that name models and adapters have to say about the hub.
struct HubOptions: ParsableArguments {
  @Flag(help: "Use only what is in the cache.")
  var offline = false

  /// Finds models and adapters, and fetches those that are not there.
  func resolver() throws -> ModelResolver { try Self.resolver(offline: offline) }

  /// Finds models and adapters, and, unless the user or HF_HUB_OFFLINE forbids it, fetches those that are not there.
  static func resolver(offline: Bool = false) throws -> ModelResolver {
    // Only to see whether it is allowed: settings that are wrong matter to nobody before something is fetched.
    if offline || (try? HubSettings(environment: Output.environment))?.isOffline == true {
      return ModelResolver(environment: Output.environment)
    }
    return ModelResolver(environment: Output.environment) { name, content in
      let settings = try HubSettings(environment: Output.environment)
      let view = HubView(Console(STDERR_FILENO), verb: "fetching", folder: settings.cache)
      defer { view.end() }
      let hub = try Hub(settings, isInterrupted: { Interruption.isRequested }, report: view.show)
      do {
        _ = try hub.pull(name, content)
      } catch let error as HubError {
        throw MissingModel(name: name, error: error)
      }
    }
  }
}

/// A name that is in no cache and could not be fetched.
struct MissingModel: HelpfulError {
  let name: HubName
  let error: HubError

  var description: String {
    "there is no folder '\(name.repository)', and none of this name in the cache; on the hub: \(error)"
  }

  var help: String? { error.help }
}

/// Shows what goes over the network: a bar on a terminal, else a line for each file.
final class HubView {
  private let console: Console
  private let verb: String
  private let folder: String?
  private let isQuiet: Bool
  private var (started, lastDrawn) = (ContinuousClock.now, ContinuousClock.now)
  /// Bytes that were there before the network brought any.
  private var before: Int?

  /// - Parameters:
  ///   - verb: "fetching" or "sending".
  ///   - folder: where files go to.
  init(_ console: Console, verb: String, folder: String? = nil, isQuiet: Bool = false) {
    (self.console, self.verb, self.folder, self.isQuiet) = (console, verb, folder, isQuiet)
  }

  func show(_ event: Hub.Event) {
    guard !isQuiet else { return }
    switch event {
    case .began(let name, let host, let names, let bytes):
      (started, before) = (.now, nil)
      // What leaves this machine is said by name.
      let files = verb == "sending" ? VisibleText.names(names) : "\(names.count) files"
      console.line(
        "\(verb) \(name) \(verb == "sending" ? "to" : "from") \(host): \(files), \(ByteText.of(bytes))"
          + (folder.map { ", into \($0)" } ?? ""))
    case .progress(let file, let done, let all): draw(file, done, all)
    case .finished(let file, let bytes):
      if !console.isLive { console.line("  \(file)  \(ByteText.of(bytes))") }
    case .waiting(let seconds, let reason):
      console.line("\(reason); trying again in \(NumberText.fixed(seconds, 0)) s")
    }
  }

  /// Takes the bar away.
  func end() { console.clear() }

  private func draw(_ file: String, _ done: Int, _ all: Int) {
    let now = ContinuousClock.now
    guard console.isLive, done == all || now - lastDrawn > .milliseconds(100) else { return }
    lastDrawn = now
    let start = before ?? done
    before = start
    let seconds = (now - started) / .seconds(1)
    let rate = seconds > 0 ? Double(done - start) / seconds : 0
    let filled = min(20, done * 20 / max(1, all))
    var parts = [
      "[\(String(repeating: "=", count: filled))\(String(repeating: " ", count: 20 - filled))]",
      "\(ByteText.of(done)) of \(ByteText.of(all))",
    ]
    if rate > 0 {
      parts += ["\(ByteText.of(Int(rate)))/s", "\(NumberText.clock(Double(all - done) / rate)) left"]
    }
    console.redraw(parts + [file])
  }
}
