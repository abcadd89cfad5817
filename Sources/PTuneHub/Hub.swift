import PTuneFormats
import PTuneLibc

/// The Hugging Face hub, or another that speaks its API.
public final class Hub {
  /// What happens, for whoever watches.
  public enum Event: Sendable, Equatable {
    /// What is to be fetched or sent.
    case began(name: String, host: String, files: [String], bytes: Int)
    /// How far it is, in bytes, over all files.
    case progress(file: String, done: Int, of: Int)
    /// A file is there.
    case finished(file: String, bytes: Int)
    /// A pause before it goes on.
    case waiting(seconds: Double, reason: String)
  }

  /// Which hub, and as whom.
  public let settings: HubSettings
  let client: HubClient
  let report: (Event) -> Void

  /// A hub.
  ///
  /// - Parameters:
  ///   - isInterrupted: asked all the time; true ends what is going on.
  ///   - report: takes what happens.
  /// - Throws: ``HubError`` if the network is not to be used or the system has no libcurl.
  public init(
    _ settings: HubSettings, isInterrupted: @escaping () -> Bool = { false },
    report: @escaping (Event) -> Void = { _ in }
  ) throws(HubError) {
    guard !settings.isOffline else { throw HubError(.offline) }
    (self.settings, self.report) = (settings, report)
    client = try HubClient(settings, isInterrupted: isInterrupted) {
      report(.waiting(seconds: $0, reason: $1))
    }
  }

  /// What was fetched.
  public struct Snapshot: Equatable, Sendable {
    /// The folder of its files in the cache.
    public let folder: String
    /// The commit.
    public let commit: String
    /// The names of the files.
    public let files: [String]
  }

  /// Fetches what ptune reads of a repository into the Hugging Face cache, as far as it is not there. The revision's entry
  /// in the cache is written last, so that what is there is whole.
  ///
  /// - Parameters:
  ///   - content: what the repository is fetched for.
  ///   - ggufFile: which of several GGUF files.
  /// - Throws: ``HubError``, `FileError`, `CancellationError`. What came stays for the next time.
  public func pull(_ name: HubName, _ content: HubContent, ggufFile: String? = nil) throws -> Snapshot {
    let listing = try client.listing(of: name)
    let choice = try DownloadChoice(listing, of: name.repository, for: content, ggufFile: ggufFile)
    let cache = HubCacheRepository(name, cache: settings.cache)
    func download(_ file: String) -> FileDownload {
      FileDownload(client: client, name: name.repository, cache: cache, commit: listing.commit, file: file)
    }
    var names = choice.files
    if choice.hasIndex {
      // It stands last, behind its shards: without them it would look like a model.
      let index = download(DownloadChoice.index)
      let blob = try index.fetch(try index.facts()) { _ in }
      names.insert(contentsOf: try DownloadChoice.shards(indexFile: blob), at: names.count - 1)
    }
    let files = try names.map { (name: $0, facts: try download($0).facts()) }
    let sizes = files.map { max(0, $0.facts.size ?? listing.size(of: $0.name) ?? 0) }
    try checkSpace(files, cache)
    let all = sizes.reduce(0, Self.sum)
    report(.began(name: name.repository, host: client.host, files: files.map(\.name), bytes: all))
    var done = 0
    for (file, size) in zip(files, sizes) {
      let blob = try download(file.name).fetch(file.facts) { bytes in
        report(.progress(file: file.name, done: Self.sum(done, bytes), of: all))
      }
      done = Self.sum(done, size)
      try cache.link(file.name, of: listing.commit, to: blob)
      report(.finished(file: file.name, bytes: size))
    }
    try cache.note(name.revision ?? "main", is: listing.commit)
    return Snapshot(folder: cache.snapshot(listing.commit), commit: listing.commit, files: names)
  }

  /// Sizes come from the hub; a sum that is too large for a number is as good as the largest.
  private static func sum(_ first: Int, _ second: Int) -> Int {
    let (sum, overflow) = first.addingReportingOverflow(second)
    return overflow ? .max : sum
  }

  private func checkSpace(
    _ files: [(name: String, facts: FileDownload.Facts)], _ cache: HubCacheRepository
  ) throws {
    let needed = files.reduce(0) { sum, file in
      FileSystem.isFile("\(cache.blobs)/\(file.facts.tag)") ? sum : Self.sum(sum, file.facts.size ?? 0)
    }
    try FileSystem.createFolder(cache.blobs)
    var status = statvfs()
    guard statvfs(cache.blobs, &status) == 0 else { return }
    let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
    let free = overflow ? Int.max : Int(clamping: bytes)
    guard needed <= free else {
      throw HubError(.noSpace(needed: needed, free: free, folder: settings.cache))
    }
  }
}
