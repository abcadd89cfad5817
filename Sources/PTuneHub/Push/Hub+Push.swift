import PTuneFormats

extension Hub {
  /// What was put on the hub.
  public struct Commit: Equatable, Sendable {
    /// The page of the repository, or of the pull request.
    public let page: String
    /// The commit; nil if the hub names none.
    public let commit: String?
    /// The names of the files.
    public let files: [String]
    /// Whether the repository was made for it.
    public let isNew: Bool
  }

  /// Puts an adapter folder on the hub, as one commit.
  ///
  /// - Parameters:
  ///   - name: the repository, which is made if it is not there; a branch may stand behind the @.
  ///   - message: the first line of the commit.
  ///   - isPrivate: whether a new repository is to be seen by its owner alone.
  ///   - asPullRequest: whether the commit is only proposed to the repository's owner.
  /// - Throws: ``HubError``, `FileError`, `CancellationError`. Without the commit nothing of it shows.
  public func push(
    _ folder: String, to name: HubName, message: String, isPrivate: Bool, asPullRequest: Bool = false
  ) throws -> Commit {
    let files = try PushedFile.adapter(in: folder)
    guard settings.token != nil else { throw HubError(.noTokenForPush(tokenFile: settings.tokenFile)) }
    let isNew = try makeSure(of: name, isPrivate: isPrivate)
    let all = files.reduce(0) { $0 + $1.size }
    report(.began(name: name.repository, host: client.host, files: files.map(\.name), bytes: all))
    let large = try largeFiles(among: files, name)
    var done = 0
    for file in files {
      if large.contains(file.name) {
        try Upload(client: client, name: name, file: file).run { sent in
          report(.progress(file: file.name, done: done + sent, of: all))
        }
      }
      done += file.size
      report(.finished(file: file.name, bytes: file.size))
    }
    let answer = try commit(
      files, large: large, to: name, message: message, query: asPullRequest ? "?create_pr=1" : "")
    let request = asPullRequest ? answer["pullRequestUrl"]?.stringValue : nil
    return Commit(
      page: request ?? "\(settings.endpoint)/\(name.repository)", commit: answer["commitOid"]?.stringValue,
      files: files.map(\.name), isNew: isNew)
  }

  private func api(_ name: HubName) -> String {
    "\(settings.endpoint)/api/models/\(HTTPAddress.escaped(name.repository, keepingSlashes: true))"
  }

  private func post(_ url: String, _ document: JSONValue) -> HTTPRequest {
    HTTPRequest(
      method: .post, url: url, headers: [("Content-Type", "application/json")],
      body: .bytes(document.bytes(.compact)))
  }

  /// Makes the repository unless it is there; whether it did.
  private func makeSure(of name: HubName, isPrivate: Bool) throws -> Bool {
    let there = try client.ask(HTTPRequest(url: api(name)))
    if there.head.status == 200 { return false }
    guard there.head.status == 404 || there.head.status == 401 && there.head["x-error-code"] == "RepoNotFound"
    else { throw client.error(there, repository: name.repository, revision: name.revision) }
    let parts = name.repository.split(separator: "/").map(String.init)
    var request: JSONObject = ["name": .string(parts[parts.count - 1]), "private": .bool(isPrivate)]
    if parts.count == 2 { request["organization"] = .string(parts[0]) }
    let response = try client.ask(
      post("\(settings.endpoint)/api/repos/create", .object(request)), isRepeatable: false)
    // 409: someone else was quicker.
    guard (200..<300).contains(response.head.status) || response.head.status == 409 else {
      throw client.error(response, repository: name.repository, revision: nil)
    }
    return response.head.status != 409
  }

  /// Which files the hub wants to be stored apart from the commit.
  private func largeFiles(among files: [PushedFile], _ name: HubName) throws -> Set<String> {
    let described = files.map { file -> JSONValue in
      let sample = file.content.withBytes { Base64.encoded(.init(rebasing: $0.prefix(512))) }
      return ["path": .string(file.name), "sample": .string(sample), "size": .int(file.size)]
    }
    let response = try client.ask(
      post(
        "\(api(name))/preupload/\(HTTPAddress.escaped(name.revision ?? "main"))", ["files": .array(described)]
      ))
    guard response.head.status == 200 else {
      throw client.error(response, repository: name.repository, revision: name.revision)
    }
    let modes = try client.document(response)["files"]?.arrayValue ?? []
    guard modes.count == files.count else {
      throw HubError(.notAHub(url: response.url, reason: "it does not say how to send each file"))
    }
    return Set(
      modes.compactMap { $0["uploadMode"]?.stringValue == "lfs" ? $0["path"]?.stringValue : nil })
  }

  /// Makes the commit: lines of JSON, the small files within.
  private func commit(
    _ files: [PushedFile], large: Set<String>, to name: HubName, message: String, query: String
  ) throws -> JSONValue {
    let header: JSONValue = [
      "key": "header", "value": ["summary": .string(message), "description": ""],
    ]
    let lines = files.map { file -> JSONValue in
      if large.contains(file.name) {
        return [
          "key": "lfsFile",
          "value": [
            "path": .string(file.name), "algo": "sha256", "oid": .string(file.sha256),
            "size": .int(file.size),
          ],
        ]
      }
      return [
        "key": "file",
        "value": [
          "path": .string(file.name), "encoding": "base64",
          "content": .string(file.content.withBytes { Base64.encoded($0) }),
        ],
      ]
    }
    let body: [UInt8] = ([header] + lines).flatMap { line -> [UInt8] in line.bytes(.compact) + [0x0A] }
    let response = try client.ask(
      HTTPRequest(
        method: .post,
        url: "\(api(name))/commit/\(HTTPAddress.escaped(name.revision ?? "main"))\(query)",
        headers: [("Content-Type", "application/x-ndjson")], body: .bytes(body)), isRepeatable: false)
    guard (200..<300).contains(response.head.status) else {
      throw client.error(response, repository: name.repository, revision: name.revision)
    }
    return try client.document(response)
  }
}
