import PTuneFormats

/// What the hub says of a repository at a revision.
struct RepositoryListing {
  /// The commit that the revision stands for: 40 hexadecimal digits.
  let commit: String
  /// The files and their sizes in bytes, where the hub tells them.
  let files: [(name: String, size: Int?)]

  func has(_ name: String) -> Bool { files.contains { $0.name == name } }

  func size(of name: String) -> Int? { files.first { $0.name == name }?.size }

  /// The names of files at the top, in their order.
  var names: [String] { files.map(\.name).filter { !$0.utf8.contains(UInt8(ascii: "/")) } }
}

extension HubClient {
  /// Asks which files a repository has.
  ///
  /// - Throws: ``HubError`` if the hub has no such repository or revision.
  func listing(of name: HubName) throws -> RepositoryListing {
    let revision = name.revision ?? "main"
    let url =
      "\(settings.endpoint)/api/models/\(HTTPAddress.escaped(name.repository, keepingSlashes: true))"
      + "/revision/\(HTTPAddress.escaped(revision))?blobs=true"
    let response = try ask(HTTPRequest(url: url))
    guard response.head.status == 200 else {
      throw error(response, repository: name.repository, revision: revision)
    }
    let document = try document(response)
    guard let commit = document["sha"]?.stringValue, HubCacheRepository.isWholeCommit(commit),
      let siblings = document["siblings"]?.arrayValue
    else { throw HubError(.notAHub(url: response.url, reason: "it names no commit and no files")) }
    return RepositoryListing(
      commit: commit,
      files: siblings.compactMap { file in
        file["rfilename"]?.stringValue.map { ($0, file["size"]?.intValue) }
      })
  }
}
