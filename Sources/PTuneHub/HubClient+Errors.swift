import PTuneFormats

extension HubClient {
  /// What a status says that is no success.
  ///
  /// - Parameters:
  ///   - repository: "owner/name".
  ///   - revision: the one that was asked for.
  ///   - file: the file that was asked for, if it was one.
  func error(_ response: Response, repository: String, revision: String?, file: String? = nil) -> HubError {
    let code = response.head["x-error-code"]
    let page = "\(settings.endpoint)/\(repository)"
    switch response.head.status {
    case _ where code == "GatedRepo":
      return HubError(.gated(repository, page: page, hasToken: settings.token != nil))
    case 404 where code == "RevisionNotFound":
      return HubError(.noRevision(revision ?? "main", repository: repository))
    case 404 where code == "EntryNotFound":
      return HubError(.noFile(file ?? "?", repository: repository))
    case 401:
      if let token = settings.token, code != "RepoNotFound" {
        return HubError(.refusedToken(source: token.source, host: host))
      }
      return unknown(repository)
    case 404 where file != nil && code == nil: return HubError(.noFile(file ?? "?", repository: repository))
    case 404: return unknown(repository)
    case 403: return HubError(.forbidden(repository, reason: response.reason))
    default:
      return HubError(.server(status: response.head.status, url: response.url, reason: response.reason))
    }
  }

  /// The hub tells strangers apart from nobody: what is private is unknown to who may not see it.
  private func unknown(_ repository: String) -> HubError {
    HubError(.unknownRepository(repository, host: host, hasToken: settings.token != nil))
  }

  /// The JSON document of an answer. Throws ``HubError`` if it is none.
  func document(_ response: Response) throws(HubError) -> JSONValue {
    do {
      return try JSONValue.parse(String(decoding: response.body, as: UTF8.self))
    } catch {
      throw HubError(.notAHub(url: response.url, reason: "what it sends is not JSON"))
    }
  }
}
