import PTuneFormats

/// Why something could not be fetched from the hub, or put there.
public struct HubError: Error, Sendable {
  /// What went wrong.
  enum Problem: Sendable {
    // Settings.
    case noCurl
    case badEndpoint(String)
    case badSeconds(String, String)
    case noHome
    case badToken(source: String)
    case unreadableToken(file: String, reason: String)
    case offline
    // The network.
    case transfer(TransferError, host: String)
    case insecureRedirect(from: String, to: String)
    case tooManyRedirects(url: String)
    // What the hub answers.
    case refusedToken(source: String, host: String)
    case unknownRepository(String, host: String, hasToken: Bool)
    case gated(String, page: String, hasToken: Bool)
    case forbidden(String, reason: String?)
    case noRevision(String, repository: String)
    case noFile(String, repository: String)
    case tooManyRequests(host: String, seconds: Double?)
    case server(status: Int, url: String, reason: String?)
    case notAHub(url: String, reason: String)
    // What the repository holds.
    case nothingUsable(String, files: [String])
    case onlyPickles(String)
    case adapterPickle(String)
    case severalGGUF(String, files: [String])
    case missingFile(String, repository: String, files: [String])
    // The files.
    case wrongSize(file: String, expected: Int, received: Int)
    case wrongChecksum(file: String, expected: String, found: String)
    case noSpace(needed: Int, free: Int, folder: String)
    // Going up.
    case noTokenForPush(tokenFile: String?)
    case notAnAdapter(folder: String)
    case linkInAdapter(String, folder: String)
    case uploadRefused(file: String, reason: String)
  }

  let problem: Problem

  init(_ problem: Problem) { self.problem = problem }
}

extension HubError: HelpfulError {
  /// The problem, in one line.
  public var description: String {
    switch problem {
    case .noCurl: "this system has no libcurl, which ptune needs to reach the hub"
    case .badEndpoint(let text): "HF_ENDPOINT is '\(text)', which is not an address"
    case .badSeconds(let name, let text): "\(name) is '\(text)', which is not a number of seconds"
    case .noHome: "there is no folder for downloads: neither HF_HOME nor HOME is set"
    case .badToken(let source): "\(source) holds no token"
    case .unreadableToken(_, let reason): "the token cannot be read: \(reason)"
    case .offline: "HF_HUB_OFFLINE is set, so the hub cannot be reached"
    case .transfer(let error, let host):
      switch error.kind {
      case .noHost: "cannot find \(host): \(error.message)"
      case .noConnection: "cannot connect to \(host): \(error.message)"
      case .slow: "\(host) does not answer: \(error.message)"
      case .cut: "the connection to \(host) broke off: \(error.message)"
      case .encryption: "no secure connection to \(host): \(error.message)"
      case .other: "the exchange with \(host) failed: \(error.message)"
      }
    case .insecureRedirect(let from, let to): "\(from) redirects to \(to), without encryption"
    case .tooManyRedirects(let url): "\(url) redirects endlessly"
    case .refusedToken(let source, let host): "\(host) refused the token of \(source)"
    case .unknownRepository(let name, let host, let hasToken):
      hasToken
        ? "\(host) has no model '\(name)' that this token may see"
        : "\(host) has no public model '\(name)'"
    case .gated(let name, _, let hasToken):
      "'\(name)' is gated: its authors grant access on request"
        + (hasToken ? ", and this token's account has no access" : "")
    case .forbidden(let name, let reason):
      "the hub does not allow this for '\(name)'" + (reason.map { ": \($0)" } ?? "")
    case .noRevision(let revision, let repository): "'\(repository)' has no revision '\(revision)'"
    case .noFile(let file, let repository): "'\(repository)' has no file '\(file)'"
    case .tooManyRequests(let host, let seconds):
      "\(host) wants fewer requests"
        + (seconds.map { ", and none for \(Int($0.rounded(.up))) seconds" } ?? "")
    case .server(let status, let url, let reason):
      "\(url) answered with status \(status)" + (reason.map { ": \($0)" } ?? "")
    case .notAHub(let url, let reason): "\(url) does not answer as a hub: \(reason)"
    case .nothingUsable(let name, _): "'\(name)' contains neither a model nor an adapter that ptune can read"
    case .onlyPickles(let name):
      "'\(name)' has its weights only as pytorch_model.bin, a pickle, which ptune does not open"
    case .adapterPickle(let name):
      "'\(name)' has its adapter only as adapter_model.bin, a pickle, which ptune does not open"
    case .severalGGUF(let name, let files): "'\(name)' has \(files.count) GGUF files"
    case .missingFile(let file, let repository, _): "'\(repository)' has no file '\(file)'"
    case .wrongSize(let file, let expected, let received):
      "\(file) should have \(expected) bytes, but \(received) came"
    case .wrongChecksum(let file, let expected, let found):
      "\(file) arrived damaged: its checksum is \(found), not \(expected)"
    case .noSpace(let needed, let free, let folder):
      "the download needs \(ByteText.of(needed)), but \(folder) has only \(ByteText.of(free)) free"
    case .noTokenForPush: "the hub takes uploads only with a token"
    case .linkInAdapter(let path, _): "'\(path)' is a link, and only an adapter's own files are sent"
    case .notAnAdapter(let folder): "'\(folder)' is not an adapter folder"
    case .uploadRefused(let file, let reason): "the hub did not take \(file): \(reason)"
    }
  }

  /// What to do about it.
  public var help: String? {
    let login = "create a token in your account's settings and set HF_TOKEN, or run 'hf auth login'"
    return switch problem {
    case .noCurl: "install it: apt-get install libcurl4 | dnf install libcurl"
    case .badEndpoint: "an address begins with https:// or http://; unset HF_ENDPOINT for the public hub"
    case .badSeconds(let name, _): "give a whole number above 0, or unset \(name)"
    case .noHome: "set HF_HOME to a folder"
    case .badToken: "a token is one line of letters, digits and '_'; \(login)"
    case .unreadableToken(let file, _): "check who may read it: ls -ld '\(file)'"
    case .offline: "run the command without it: env -u HF_HUB_OFFLINE ptune …"
    case .transfer(let error, _):
      switch error.kind {
      case .noHost:
        "check the network, https_proxy and HF_ENDPOINT; with a model in the cache --offline needs no network"
      case .noConnection: "check the network, https_proxy and HF_ENDPOINT"
      case .slow: "try again later; HF_HUB_DOWNLOAD_TIMEOUT sets how many seconds to wait"
      case .cut: "run the same command again: it resumes"
      case .encryption:
        "check the system's clock and its certificates; SSL_CERT_FILE names a file of others, as behind a proxy"
      case .other: nil
      }
    case .insecureRedirect: "check HF_ENDPOINT"
    case .tooManyRedirects: "check HF_ENDPOINT"
    case .refusedToken(let source, _): "replace the token in \(source), or remove it for public models"
    case .unknownRepository(_, _, let hasToken):
      "check the name"
        + (hasToken ? "; a token sees what its account may see" : "; for a private one \(login)")
    case .gated(_, let page, let hasToken):
      "ask for access at \(page)" + (hasToken ? "" : "; then \(login)")
    case .forbidden: "check the token's permissions: uploads need write access"
    case .noRevision(_, let repository): "see its branches and tags: \(repository)@main is the usual one"
    case .noFile(_, let repository): "run the same command again: '\(repository)' may have changed just now"
    case .tooManyRequests(_, let seconds):
      seconds == nil
        ? "wait some minutes; with HF_TOKEN set, the limits are higher"
        : "run the same command again then; with HF_TOKEN set, the limits are higher"
    case .server(let status, _, _):
      status >= 500 ? "try again later; what has arrived is kept" : nil
    case .notAHub: "check HF_ENDPOINT, and whether the network asks for a login in a browser"
    case .nothingUsable(_, let files):
      "ptune reads safetensors and GGUF files; there are "
        + (files.isEmpty ? "no files" : files.prefix(8).joined(separator: ", "))
    case .onlyPickles(let name):
      "convert it once with Python: AutoModel.from_pretrained(\"\(name)\").save_pretrained(FOLDER), and name FOLDER"
    case .adapterPickle:
      "convert it once with Python: PeftModel.from_pretrained(…).save_pretrained(FOLDER), and name FOLDER"
    case .severalGGUF(let name, let files):
      "name one: ptune pull \(name) --file \(files.first ?? "NAME.gguf") (there are \(files.joined(separator: ", ")))"
    case .missingFile(_, _, let files): "there are \(files.prefix(12).joined(separator: ", "))"
    case .wrongSize, .wrongChecksum:
      "run the same command again; if it fails again, the hub or a proxy alters files"
    case .noSpace: "free some space, or set HF_HOME to a folder on another disk"
    case .noTokenForPush(let file):
      login + (file.map { "; it is looked for in HF_TOKEN and in \($0)" } ?? "")
    case .notAnAdapter:
      "give the folder that 'ptune train' or 'ptune export' wrote; it contains adapter_config.json"
    case .linkInAdapter(_, let folder):
      "look where it leads; 'cp -RL \(folder) COPY' makes a folder without links"
    case .uploadRefused: "run the same command again: what the hub already has is not sent again"
    }
  }
}

/// Numbers of bytes for people.
public enum ByteText {
  /// "512 B", "1.5 kB", "90.9 MB": decimal units, as disks and networks have them.
  public static func of(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var (value, unit) = (Double(count), 0)
    while value >= 999.95, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    guard unit > 0 else { return "\(count) B" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
