import CPTuneCurl

/// A connection over the system's libcurl, kept from one exchange to the next. One thread at a time.
final class HTTPConnection {
  /// Takes a piece of a response's body; throws to give up.
  typealias Receiver = (HTTPHead, UnsafeRawBufferPointer) throws -> Void

  private let handle: UnsafeMutableRawPointer
  private let limits: HubSettings.Limits
  private let authorities: String?
  private let isInterrupted: () -> Bool

  /// - Throws: ``HubError`` if the system has no libcurl.
  init(_ settings: HubSettings, isInterrupted: @escaping () -> Bool) throws(HubError) {
    guard ptune_curl_load(), let handle = ptune_curl_open() else { throw HubError(.noCurl) }
    self.handle = handle
    limits = settings.limits
    authorities = settings.authorities
    self.isInterrupted = isInterrupted
  }

  deinit { ptune_curl_close(handle) }

  /// What an exchange leaves for the callbacks of C.
  private final class Exchange {
    var head = HTTPHead()
    var error: (any Error)?
    let receive: Receiver
    let sent: (Int) -> Void
    let isInterrupted: () -> Bool

    init(
      receive: @escaping Receiver, sent: @escaping (Int) -> Void, isInterrupted: @escaping () -> Bool
    ) {
      (self.receive, self.sent, self.isInterrupted) = (receive, sent, isInterrupted)
    }

    static func at(_ context: UnsafeMutableRawPointer?) -> Exchange {
      // The pointer was made of an Exchange that lives until the exchange is over.
      Unmanaged<Exchange>.fromOpaque(context!).takeUnretainedValue()
    }
  }

  /// Runs one exchange; redirects are not followed.
  ///
  /// - Parameters:
  ///   - sent: told how much of the body has gone out.
  ///   - receive: takes the body of the response.
  /// - Throws: what `receive` throws, `CancellationError`, or ``TransferError``.
  func exchange(
    _ request: HTTPRequest, sent: @escaping (Int) -> Void = { _ in }, receive: @escaping Receiver
  ) throws -> HTTPHead {
    let exchange = Exchange(receive: receive, sent: sent, isInterrupted: isInterrupted)
    let lines = request.headers.map { "\($0.name): \($0.value)" } + ["Expect:"]
    let result = withPointers(lines) { headers in
      withBytes(of: request.body) { body in
        var c = ptune_curl_request()
        c.connect_seconds = limits.connectSeconds
        c.idle_seconds = limits.idleSeconds
        c.headers = headers.baseAddress
        c.header_count = headers.count
        c.body = body?.baseAddress
        c.body_size = UInt64(body?.count ?? 0)
        c.context = Unmanaged.passUnretained(exchange).toOpaque()
        c.take_header = { context, line, size in
          let bytes = UnsafeRawBufferPointer(start: line, count: size)
          Exchange.at(context).head.take(line: String(decoding: bytes, as: UTF8.self))
        }
        c.take_body = { context, bytes, size in
          let exchange = Exchange.at(context)
          do {
            try exchange.receive(exchange.head, UnsafeRawBufferPointer(start: bytes, count: size))
            return true
          } catch {
            exchange.error = error
            return false
          }
        }
        c.is_cancelled = { context, sent in
          let exchange = Exchange.at(context)
          exchange.sent(Int(sent))
          return exchange.isInterrupted()
        }
        return request.method.rawValue.withCString { method in
          request.url.withCString { url in
            withOptional(authorities) { authorities in
              (c.method, c.url, c.authorities) = (method, url, authorities)
              return ptune_curl_perform(handle, &c)
            }
          }
        }
      }
    }
    if let error = exchange.error { throw error }
    if isInterrupted() { throw CancellationError() }
    guard result.code == 0 else { throw TransferError(result) }
    return exchange.head
  }
}

private func withPointers<Result>(
  _ texts: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
  let bytes = texts.flatMap { Array($0.utf8CString) }
  let starts = texts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.utf8.count + 1) }
  return bytes.withUnsafeBufferPointer { bytes in
    let pointers = starts.dropLast().map { start in bytes.baseAddress.map { $0 + start } }
    return pointers.withUnsafeBufferPointer(body)
  }
}

private func withBytes<Result>(of body: HTTPBody?, _ use: (UnsafeRawBufferPointer?) -> Result) -> Result {
  // An empty body is one too, so it needs an address.
  switch body {
  case nil: use(nil)
  case .bytes(let bytes): (bytes + [0]).withUnsafeBytes { use(.init(rebasing: $0.dropLast())) }
  case .borrowed(let bytes, let owner): withExtendedLifetime(owner) { use(bytes) }
  }
}

private func withOptional<Result>(_ text: String?, _ use: (UnsafePointer<CChar>?) -> Result) -> Result {
  if let text { text.withCString(use) } else { use(nil) }
}
