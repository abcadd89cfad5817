import PTuneFormats

/// Sends one large file to where the hub stores such: git LFS's batch API, with its transfer `basic`.
/// See https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md.
struct Upload {
  let client: HubClient
  let name: HubName
  let file: PushedFile

  /// - Parameter progress: told how many bytes are out.
  /// - Throws: ``HubError``, `CancellationError`.
  func run(progress: (Int) -> Void) throws {
    let oid = file.sha256
    let answer = try batch(oid)
    if let message = answer["error"]?["message"]?.stringValue { throw refused(message) }
    // Without actions the hub has the file already.
    guard let upload = answer["actions"]?["upload"], upload != .null else { return progress(file.size) }
    let response = try withoutActuallyEscaping(progress) { progress in
      var sending = try request(.put, upload)
      sending.body = .borrowed(file.content.unsafeBytes, owner: file.content)
      return try client.ask(sending) { progress(min($0, file.size)) }
    }
    guard (200..<300).contains(response.head.status) else {
      throw refused("the storage answered with status \(response.head.status)")
    }
    progress(file.size)
    guard let verify = answer["actions"]?["verify"], verify != .null else { return }
    var question = try request(.post, verify)
    question.headers.append(("Content-Type", Self.type))
    let object: JSONValue = ["oid": .string(oid), "size": .int(file.size)]
    question.body = .bytes(object.bytes(.compact))
    let verified = try client.ask(question)
    guard verified.head.status == 200 else {
      throw refused(verified.reason ?? "it did not find what was sent (status \(verified.head.status))")
    }
  }

  private static let type = "application/vnd.git-lfs+json"

  /// What the hub says of the file.
  private func batch(_ oid: String) throws -> JSONValue {
    let url =
      "\(client.settings.endpoint)/\(HTTPAddress.escaped(name.repository, keepingSlashes: true)).git"
      + "/info/lfs/objects/batch"
    let body: JSONValue = [
      "operation": "upload", "transfers": ["basic"], "hash_algo": "sha256",
      "objects": [["oid": .string(oid), "size": .int(file.size)]],
      "ref": ["name": .string(name.revision ?? "main")],
    ]
    let response = try client.ask(
      HTTPRequest(
        method: .post, url: url, headers: [("Accept", Self.type), ("Content-Type", Self.type)],
        body: .bytes(body.bytes(.compact))))
    guard response.head.status == 200 else {
      throw client.error(response, repository: name.repository, revision: name.revision)
    }
    let object = try client.document(response)["objects"]?.arrayValue?.first
    guard let object, object["oid"]?.stringValue == oid else {
      throw HubError(
        .notAHub(url: response.url, reason: "it says nothing of the file that it was asked about"))
    }
    return object
  }

  /// A request as an action of the batch API describes it.
  private func request(_ method: HTTPRequest.Method, _ action: JSONValue) throws(HubError) -> HTTPRequest {
    guard let url = action["href"]?.stringValue, HTTPAddress(url) != nil else {
      throw HubError(.notAHub(url: client.address.origin, reason: "it does not say where to send files"))
    }
    var request = HTTPRequest(method: method, url: url)
    for (name, value) in action["header"]?.objectValue ?? JSONObject() {
      // NB: a line end within would make further headers.
      guard let value = value.stringValue, (name + value).utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
        continue
      }
      request.headers.append((name, value))
    }
    return request
  }

  private func refused(_ reason: String) -> HubError {
    HubError(.uploadRefused(file: file.name, reason: reason))
  }
}
