/// Probes plugin files in child processes: one for all of them, and another after each that ends it.
public struct Prober: Sendable {
  /// The program to start, which has to call `PluginProbe.runIfAsked` first of all.
  public let executable: String
  /// How long a single plugin may take.
  public let timeout: Duration
  private let environment: [String: String]

  /// A prober with the environment that plugins are to see.
  ///
  /// `PTUNE_PROBE_TIMEOUT` in it, in seconds, takes the place of two seconds for each plugin.
  public init(executable: String, environment: [String: String]) {
    self.executable = executable
    let seconds = environment["PTUNE_PROBE_TIMEOUT"].flatMap { Double($0) } ?? 0
    timeout = .seconds(seconds > 0 && seconds < 86_400 ? seconds : 2)
    self.environment = environment
  }

  /// What each file turned out to be, in the same order.
  func probe(_ files: [String]) -> [Result<PluginReport, Rejection.Reason>] {
    guard environment[PluginProbe.mark] == nil else {
      let why = "\(executable) does not answer to \(PluginProbe.command)"
      return files.map { _ in .failure(.notProbed(why)) }
    }
    var outcomes: [Result<PluginReport, Rejection.Reason>] = []
    while outcomes.count < files.count {
      var session = ProbeSession(timeout: timeout)
      let rest = Array(files[outcomes.count...])
      do {
        try session.run(executable, files: rest, environment: environment)
      } catch {
        outcomes += rest.map { _ in .failure(.notProbed(error.text)) }
      }
      outcomes += session.outcomes
    }
    return outcomes
  }
}
