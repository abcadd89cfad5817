import PTuneFormats
import PTuneLibc

/// Requests to the hub: with the token where it belongs, along redirects, and again where that may help.
final class HubClient {
  let settings: HubSettings
  let address: HTTPAddress
  private let connection: HTTPConnection
  private let isInterrupted: () -> Bool
  /// Told before each wait, with the reason.
  private let waiting: (_ seconds: Double, _ reason: String) -> Void

  /// - Throws: ``HubError`` if the system has no libcurl.
  init(
    _ settings: HubSettings, isInterrupted: @escaping () -> Bool,
    waiting: @escaping (_ seconds: Double, _ reason: String) -> Void
  ) throws(HubError) {
    guard let address = HTTPAddress(settings.endpoint) else {
      throw HubError(.badEndpoint(settings.endpoint))
    }
    (self.settings, self.address, self.isInterrupted, self.waiting) = (
      settings, address, isInterrupted, waiting
    )
    connection = try HTTPConnection(settings, isInterrupted: isInterrupted)
  }

  /// The host, for messages.
  var host: String { address.authority }

  /// A response and its body.
  struct Response {
    let head: HTTPHead
    let body: [UInt8]
    /// Where it came from, redirects followed.
    let url: String

    /// What a server says of an error: a JSON document's `error`, or the header for it.
    var reason: String? {
      if let text = head["x-error-message"] { return text }
      guard let document = try? JSONValue.parse(String(decoding: body.prefix(1 << 16), as: UTF8.self)) else {
        return nil
      }
      return document["error"]?.stringValue ?? document["message"]?.stringValue
    }
  }

  /// The largest answer of the API that is read: the list of a repository's files.
  private static let longestAnswer = 64 << 20

  /// Asks for something that fits into memory.
  ///
  /// - Parameter isRepeatable: whether asking twice does no harm.
  /// - Throws: ``HubError`` if nothing comes back; `CancellationError`.
  func ask(_ request: HTTPRequest, isRepeatable: Bool = true, sent: @escaping (Int) -> Void = { _ in }) throws
    -> Response
  {
    var attempt = Attempts(settings.limits)
    while true {
      var body: [UInt8] = []
      let answered: (head: HTTPHead, url: String)
      do {
        answered = try follow(request, sent: sent) { _, bytes in
          guard body.count + bytes.count <= Self.longestAnswer else {
            throw HubError(.notAHub(url: request.url, reason: "the answer is longer than any of the hub's"))
          }
          body.append(contentsOf: bytes)
        }
      } catch let error as TransferError {
        guard error.isPassing, isRepeatable, let seconds = attempt.next() else {
          throw HubError(.transfer(error, host: HTTPAddress(request.url)?.authority ?? host))
        }
        try wait(seconds, error.message)
        continue
      }
      let response = Response(head: answered.head, body: body, url: answered.url)
      guard try waitIfBusy(response, &attempt, isRepeatable: isRepeatable) else { return response }
    }
  }

  /// Waits where the hub asks for it or is not well. False if the response is an answer.
  ///
  /// - Throws: ``HubError`` once that was enough.
  func waitIfBusy(_ response: Response, _ attempt: inout Attempts, isRepeatable: Bool = true) throws -> Bool {
    switch response.head.status {
    case 429:
      let asked = response.head.secondsToWait
      guard (asked ?? 0) <= settings.limits.longestWaitSeconds, let own = attempt.next() else {
        throw HubError(.tooManyRequests(host: host, seconds: asked))
      }
      try wait(asked ?? own, "\(host) wants fewer requests")
      return true
    case 500, 502, 503, 504:
      let asked = response.head.secondsToWait
      guard isRepeatable, (asked ?? 0) <= settings.limits.longestWaitSeconds, let own = attempt.next() else {
        return false
      }
      try wait(asked ?? own, "\(host) answered with status \(response.head.status)")
      return true
    default: return false
    }
  }

  /// One exchange along redirects, which lead to where a file is stored.
  ///
  /// - Throws: ``HubError``, ``TransferError``, `CancellationError`, and what `receive` throws.
  func follow(
    _ request: HTTPRequest, sent: @escaping (Int) -> Void = { _ in },
    receive: @escaping HTTPConnection.Receiver
  ) throws -> (head: HTTPHead, url: String) {
    var request = request
    for _ in 0..<10 {
      guard let here = HTTPAddress(request.url) else {
        throw HubError(.notAHub(url: address.origin, reason: "it names '\(request.url)'"))
      }
      var sending = request
      sending.headers += [("User-Agent", "ptune"), ("Accept-Encoding", "identity")]
      // NB: the token is for the hub alone. Storage that it redirects to has signed addresses.
      let hasOwn = request.headers.contains { $0.name.lowercased() == "authorization" }
      if here.hasSameOrigin(as: address), !hasOwn, let authorization = settings.authorization {
        sending.headers.append(("Authorization", authorization))
      }
      let head = try connection.exchange(sending, sent: sent) { head, bytes in
        if !head.isRedirect { try receive(head, bytes) }
      }
      guard head.isRedirect, let location = head["location"] else { return (head, request.url) }
      if hasOwn { request.headers.removeAll { $0.name.lowercased() == "authorization" } }
      guard let next = here.following(location), let there = HTTPAddress(next) else {
        throw HubError(.notAHub(url: request.url, reason: "it redirects to '\(location)'"))
      }
      // A question about a file is answered by the hub, not by the storage it leads to.
      if request.method == .head, head["x-linked-etag"] != nil || !there.hasSameOrigin(as: address) {
        return (head, request.url)
      }
      guard there.scheme == "https" || here.scheme == "http" else {
        throw HubError(.insecureRedirect(from: here.authority, to: there.authority))
      }
      request.url = next
    }
    throw HubError(.tooManyRedirects(url: request.url))
  }

  /// Waits, and ends early if the user asks for it.
  func wait(_ seconds: Double, _ reason: String) throws {
    waiting(seconds, reason)
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      if isInterrupted() { throw CancellationError() }
      let rest = end - ContinuousClock.now
      usleep(UInt32(max(0, min(0.1, rest / .seconds(1))) * 1e6))
    }
    if isInterrupted() { throw CancellationError() }
  }
}

/// How often something is tried, and how long to wait in between.
struct Attempts {
  private let limits: HubSettings.Limits
  private var made = 1

  init(_ limits: HubSettings.Limits) { self.limits = limits }

  /// The wait before the next attempt; nil if there is to be none.
  mutating func next() -> Double? {
    guard made < limits.attempts else { return nil }
    made += 1
    return limits.retrySeconds * Double(1 << (made - 2))
  }

  /// Begins anew, once something has come.
  mutating func reset() { made = 1 }
}

extension HTTPHead {
  /// The seconds that the server asks to wait: `Retry-After` as a number or a date, or the reset of the hub's `RateLimit`.
  /// At most a year, so that any number of seconds can be counted with.
  var secondsToWait: Double? { namedSecondsToWait.map { min($0, 365 * 86_400) } }

  private var namedSecondsToWait: Double? {
    if let text = self["retry-after"] {
      if let seconds = Double(text), seconds >= 0, seconds.isFinite { return seconds }
      if let then = HTTPDate.seconds(text) {
        // By the server's own clock, where it says what time it is.
        return max(0, then - (self["date"].flatMap(HTTPDate.seconds) ?? HTTPDate.now))
      }
    }
    // "api";r=0;t=55
    guard let limit = self["ratelimit"] else { return nil }
    for part in limit.split(separator: ";") where part.hasPrefix("t=") {
      if let seconds = Double(part.dropFirst(2)), seconds >= 0, seconds.isFinite { return seconds }
    }
    return nil
  }
}
