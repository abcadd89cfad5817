import PTuneFormats

/// Fetches one file of a repository into the cache: asks what it is, goes on with what an earlier attempt left, checks
/// size and checksum, and puts it in its place whole.
struct FileDownload {
  let client: HubClient
  /// "owner/name".
  let name: String
  let cache: HubCacheRepository
  let commit: String
  let file: String

  /// What the hub says of a file.
  struct Facts {
    /// The name of its blob.
    let tag: String
    let size: Int?
  }

  private var url: String {
    "\(client.settings.endpoint)/\(HTTPAddress.escaped(name, keepingSlashes: true))/resolve/\(commit)/"
      + HTTPAddress.escaped(file, keepingSlashes: true)
  }

  /// Asks for size and ETag. Throws ``HubError``.
  func facts() throws -> Facts {
    let response = try client.ask(HTTPRequest(method: .head, url: url))
    let head = response.head
    guard head.status == 200 || head.isRedirect else {
      throw client.error(response, repository: name, revision: commit, file: file)
    }
    var tag = head["x-linked-etag"] ?? head["etag"] ?? ""
    if tag.hasPrefix("W/") { tag.removeFirst(2) }
    tag = String(tag.drop { $0 == "\"" }.prefix { $0 != "\"" })
    // NB: it becomes the name of a file.
    guard HubCacheRepository.isFileName(tag) else {
      throw HubError(.notAHub(url: url, reason: "it gives no ETag for the file"))
    }
    let size = head["x-linked-size"] ?? (head.isRedirect ? nil : head["content-length"])
    return Facts(tag: tag, size: size.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil })
  }

  /// Fetches the file unless its blob is there, and gives the blob's path.
  ///
  /// - Parameter progress: told how many bytes of the file are there; fewer than before if it begins anew.
  /// - Throws: ``HubError``, `FileError`, `CancellationError`; what came stays for the next attempt.
  func fetch(_ facts: Facts, progress: (Int) -> Void) throws -> String {
    let blob = "\(cache.blobs)/\(facts.tag)"
    try withoutActuallyEscaping(progress) { progress in
      guard !FileSystem.isFile(blob) else { return progress(facts.size ?? 0) }
      try FileSystem.createFolder(cache.blobs)
      // A file that came damaged may be an old attempt's fault; once more from the start then.
      let partial = try PartialFile(beside: blob)
      if try receive(facts, into: partial, progress) != nil {
        try partial.empty()
        if let wrong = try receive(facts, into: partial, progress) {
          try partial.remove()
          throw HubError(.wrongChecksum(file: file, expected: wrong.expected, found: wrong.found))
        }
      }
      try partial.commit(to: blob)
    }
    return blob
  }

  /// Receives the rest of a file; what is wrong with its checksum, if anything is.
  private func receive(
    _ facts: Facts, into partial: PartialFile, _ progress: @escaping (Int) -> Void
  ) throws -> (expected: String, found: String)? {
    var attempts = Attempts(client.settings.limits)
    if let size = facts.size, partial.size > size { try partial.empty() }
    var checksum = try partial.checksum(tag: facts.tag, size: facts.size)
    while facts.size.map({ partial.size < $0 }) ?? true {
      let before = partial.size
      var request = HTTPRequest(url: url)
      if before > 0 { request.headers = [("Range", "bytes=\(before)-")] }
      var refusal: [UInt8] = []
      var trouble: TransferError?
      var answered = HTTPHead()
      var isFirst = true
      do {
        (answered, _) = try client.follow(request) { head, bytes in
          guard head.status == 200 || head.status == 206 else {
            refusal += bytes.prefix(max(0, 1 << 16 - refusal.count))
            return
          }
          if isFirst, head.status == 200 || !head.continues(from: partial.size) {
            // The server does not go on from where it was asked to.
            guard head.status == 200 else {
              throw HubError(.notAHub(url: url, reason: "it sends another part of the file than asked for"))
            }
            try partial.empty()
            checksum = BlobChecksum(tag: facts.tag, size: facts.size)
          }
          isFirst = false
          if let size = facts.size, bytes.count > size - partial.size {
            throw HubError(.wrongSize(file: file, expected: size, received: partial.size + bytes.count))
          }
          try partial.append(bytes)
          checksum.update(bytes)
          progress(partial.size)
        }
      } catch let error as TransferError {
        guard error.isPassing else { throw HubError(.transfer(error, host: client.host)) }
        trouble = error
      } catch let error as HubError {
        if case .wrongSize = error.problem { try partial.remove() }
        throw error
      }
      if trouble == nil, answered.status == 200 || answered.status == 206 {
        // Without a size the server's own end is the end.
        guard let size = facts.size else { break }
        guard partial.size < size else { break }
        trouble = TransferError(.cut, "only \(partial.size) of \(size) bytes came")
      }
      if partial.size > before { attempts.reset() }
      if let trouble {
        guard let seconds = attempts.next() else {
          throw HubError(.transfer(trouble, host: client.host))
        }
        try client.wait(seconds, trouble.message)
      } else if answered.status == 416, before > 0 {
        // There is no such rest: what is here is not the beginning of it.
        try partial.empty()
        checksum = BlobChecksum(tag: facts.tag, size: facts.size)
        guard attempts.next() != nil else { throw refused(answered, refusal) }
      } else {
        let response = HubClient.Response(head: answered, body: refusal, url: url)
        guard try client.waitIfBusy(response, &attempts) else { throw refused(answered, refusal) }
      }
    }
    return checksum.mismatch
  }

  private func refused(_ head: HTTPHead, _ body: [UInt8]) -> HubError {
    client.error(
      HubClient.Response(head: head, body: body, url: url), repository: name, revision: commit, file: file)
  }
}

extension HTTPHead {
  /// Whether a partial answer begins at this byte.
  fileprivate func continues(from start: Int) -> Bool {
    status == 206 && (self["content-range"].map { $0.hasPrefix("bytes \(start)-") } ?? (start == 0))
  }
}
