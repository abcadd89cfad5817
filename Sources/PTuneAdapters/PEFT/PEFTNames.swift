import PTuneComposition
import PTuneFormats

/// The names of tasks and labels, in a file beside PEFT's: where ptune 0.1's first exports have them.
struct PEFTNames {
  static let fileName = AdapterFolderFiles.names

  /// A task.
  struct Task {
    let name: String
    /// The labels in the order of the scores; empty for a head without.
    let labels: [String]
    /// `problem_type` of transformers' config; nil for what does not classify texts.
    let problemType: String?
  }

  /// In the order of PEFT's ids.
  let tasks: [Task]

  /// Reads a folder's file.
  ///
  /// - Parameter count: tasks that the adapter has.
  /// - Returns: nil if there is no such file.
  /// - Throws: ``AdapterError/notAnAdapter(folder:reason:)``, or what is wrong with the file itself.
  static func read(_ folder: String, tasks count: Int) throws -> PEFTNames? {
    let path = FilePath.join(folder, fileName)
    guard FileSystem.isFile(path) else { return nil }
    let document = try JSONValue.read(path)
    let tasks = (document["tasks"]?.arrayValue ?? []).compactMap { task -> Task? in
      guard let name = task["name"]?.stringValue else { return nil }
      return Task(
        name: name, labels: task["labels"]?.arrayValue?.compactMap(\.stringValue) ?? [],
        problemType: task["problem_type"]?.stringValue)
    }
    guard tasks.count == count, Set(tasks.map(\.name)).count == count else {
      throw AdapterError.notAnAdapter(
        folder: folder, reason: "\(fileName) does not name the \(count) tasks of the adapter")
    }
    return PEFTNames(tasks: tasks)
  }
}
