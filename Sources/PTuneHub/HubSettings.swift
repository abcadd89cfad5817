import PTuneFormats

/// Which hub, as whom, and where downloads are kept: what the environment says, in Hugging Face's own variables.
public struct HubSettings: Sendable {
  /// How long things may take.
  struct Limits: Sendable {
    var connectSeconds = 10
    var idleSeconds = 30
    /// Attempts that bring nothing new, before it is given up.
    var attempts = 5
    /// The wait before the second attempt; it doubles with each.
    var retrySeconds = 1.0
    /// The longest that the hub may ask to wait.
    var longestWaitSeconds = 300.0
  }

  /// Where a token came from, and what it is.
  struct Token: Sendable {
    let text: String
    /// "HF_TOKEN", or the file.
    let source: String
  }

  /// The hub's address, without a slash at its end.
  public let endpoint: String
  /// The folder in the layout of the Hugging Face cache that downloads are put into.
  public let cache: String
  /// Whether the network is not to be used (`HF_HUB_OFFLINE`).
  public var isOffline: Bool
  /// Who asks.
  var token: Token?
  /// The user and password that stood in the hub's address.
  private let credentials: String?
  /// Where a token is looked for beside the variables.
  let tokenFile: String?
  /// A file of certificates to trust in place of the system's.
  let authorities: String?
  var limits = Limits()

  static let publicEndpoint = "https://huggingface.co"

  /// What an environment says; the process's own if none is given.
  ///
  /// - Throws: ``HubError`` for an address, a token or a time that cannot be one, and for an environment without a home.
  public init(environment given: [String: String]? = nil) throws(HubError) {
    let environment = given ?? FileSystem.environment
    func value(_ names: String...) -> (name: String, text: String)? {
      names.lazy.compactMap { name in
        environment[name].map { (name, $0.trimmed) }.flatMap { $0.1.isEmpty ? nil : $0 }
      }.first
    }
    func isOn(_ name: String) -> Bool { ["1", "on", "yes", "true"].contains(value(name)?.text.lowercased()) }

    var address = value("HF_ENDPOINT")?.text ?? Self.publicEndpoint
    while address.hasSuffix("/") { address.removeLast() }
    guard let parts = HTTPAddress(address) else {
      throw HubError(.badEndpoint(HTTPAddress.shown(address)))
    }
    // NB: the address is shown in many places, a password in none.
    endpoint = parts.origin + parts.rest
    credentials = parts.credentials
    guard let cache = ModelResolver(environment: environment).downloadCache else { throw HubError(.noHome) }
    self.cache = cache
    isOffline = isOn("HF_HUB_OFFLINE")
    authorities = value("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")?.text
    if let (name, text) = value("HF_HUB_DOWNLOAD_TIMEOUT") {
      guard let seconds = Int(text), seconds > 0 else { throw HubError(.badSeconds(name, text)) }
      limits.idleSeconds = seconds
    }
    let home =
      value("HF_HOME")?.text ?? value("XDG_CACHE_HOME").map { "\($0.text)/huggingface" }
      ?? value("HOME").map { "\($0.text)/.cache/huggingface" }
    tokenFile = value("HF_TOKEN_PATH")?.text ?? home.map { "\($0)/token" }
    guard !isOn("HF_HUB_DISABLE_IMPLICIT_TOKEN") else { return }
    if let (name, text) = value("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN") {
      token = try Self.checked(text, source: name)
    } else if let tokenFile, FileSystem.isFile(tokenFile) {
      token = try Self.token(file: tokenFile)
    }
  }

  /// What the hub is told of who asks: the token, or else the user and password of its address.
  var authorization: String? {
    if let token { return "Bearer \(token.text)" }
    return credentials.map { credentials in
      let bytes = Array(HTTPAddress.unescaped(credentials))
      return "Basic \(bytes.withUnsafeBytes(Base64.encoded))"
    }
  }

  /// Takes the token from a file in the place of any other. Throws ``HubError``.
  public mutating func takeToken(file: String) throws(HubError) {
    guard let token = try Self.token(file: file) else { throw HubError(.badToken(source: file)) }
    self.token = token
  }

  private static func token(file: String) throws(HubError) -> Token? {
    let text: String
    do {
      text = try MappedFile(file).withBytes { String(decoding: $0.prefix(4096), as: UTF8.self) }
    } catch {
      throw HubError(.unreadableToken(file: file, reason: "\(error)"))
    }
    return text.trimmed.isEmpty ? nil : try checked(text.trimmed, source: file)
  }

  /// NB: a line end within would let a token write headers of its own.
  private static func checked(_ text: String, source: String) throws(HubError) -> Token {
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw HubError(.badToken(source: source))
    }
    return Token(text: text, source: source)
  }
}
