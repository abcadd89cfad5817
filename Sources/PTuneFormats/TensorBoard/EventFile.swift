import PTuneLibc

/// A file of events that TensorBoard reads while it grows: each record is one write.
public final class EventFile {
  /// A value of a hyperparameter.
  public enum Setting: Equatable, Sendable {
    /// A number.
    case number(Double)
    /// A text.
    case text(String)
    /// True or false.
    case flag(Bool)
  }

  /// Where it is.
  public let path: String
  private let file: ByteAppender
  private let now: () -> Double

  /// What names of event files begin with; TensorBoard looks for `tfevents`.
  private static let prefix = "events.out.tfevents."

  /// Starts a file in a folder that exists. TensorBoard takes files in the order of their names, so its name comes
  /// behind those of earlier ones.
  ///
  /// - Parameters:
  ///   - restartStep: the step that the training goes on with, where earlier files hold a part of it.
  ///   - now: seconds since 1970.
  /// - Throws: `FileError`.
  public init(in folder: String, restartStep: Int? = nil, now: @escaping () -> Double = systemTime)
    throws(FileError)
  {
    let earlier = try Self.files(in: folder)
    let latest = earlier.compactMap { Int($0.dropFirst(Self.prefix.count).prefix { $0 != "." }) }.max() ?? 0
    let seconds = String(max(Int(now()), latest))
    let number = String(earlier.count)
    func padded(_ text: String, _ width: Int) -> String {
      String(repeating: "0", count: max(0, width - text.count)) + text
    }
    path = FilePath.join(folder, "\(Self.prefix)\(padded(seconds, 10)).ptune.\(padded(number, 6))")
    file = try ByteAppender(path)
    self.now = now
    try append(EventRecord.fileVersion(time: now()))
    if let restartStep { try append(EventRecord.restart(step: restartStep, time: now())) }
  }

  /// Writes numbers of a step.
  ///
  /// - Throws: `FileError`.
  public func scalars(_ values: [(tag: String, value: Double)], step: Int) throws(FileError) {
    try append(EventRecord.scalars(values, step: step, time: now()))
  }

  /// Writes the hyperparameters of the run, for TensorBoard's page HPARAMS.
  ///
  /// - Throws: `FileError`.
  public func hyperparameters(_ values: [(name: String, value: Setting)]) throws(FileError) {
    try append(EventRecord.hyperparameters(values, time: now()))
  }

  /// Says that the run came to its end, and waits until all is on the disk.
  ///
  /// - Throws: `FileError`.
  public func end() throws(FileError) {
    try append(EventRecord.end(time: now()))
    try file.sync()
  }

  private func append(_ message: [UInt8]) throws(FileError) {
    try file.append(EventRecord.framed(message))
  }

  /// Removes the event files of a folder.
  ///
  /// - Throws: `FileError`.
  public static func removeAll(in folder: String) throws(FileError) {
    for name in try files(in: folder) { try FileSystem.removeFile(FilePath.join(folder, name)) }
  }

  private static func files(in folder: String) throws(FileError) -> [String] {
    try FileSystem.entries(of: folder).filter { $0.hasPrefix(prefix) }
  }
}

/// Seconds since 1970.
public func systemTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
