import PTune
import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTuneReport
import PTuneText

/// What there is beside a path or a name that there is not: most often it was mistyped.
enum NearestName {
  /// What was most likely meant; nil where an error is about something else, or nothing is near.
  static func meant(by error: any Error) -> String? {
    switch error {
    case let error as FileError where [.open, .list, .map, .read].contains(error.operation): path(error.path)
    case TextError.unreadable(let path, _), DataError.file(_, .unreadable(let path, _)): self.path(path)
    case AdapterError.notAnAdapter(let folder, _):
      path(folder) ?? (FileSystem.exists(folder) ? nil : name(folder))
    case AdapterError.baseNotFound(_, let error): model(error)
    case ReportError.notARun(let path): self.path(path)
    case let error as ModelError: model(error)
    case let error as MissingModel: name(error.name.repository)
    default: nil
    }
  }

  private static func model(_ error: ModelError) -> String? {
    guard case .notFound(let places, let name) = error.problem else { return nil }
    return name.map { self.name($0.repository) } ?? places.first.flatMap(path)
  }

  /// The path with the first part that is not there put right.
  private static func path(_ path: String) -> String? {
    guard path != InputPath.standardInput, !FileSystem.exists(path) else { return nil }
    var (folder, missing) = (FilePath.folder(of: path), FilePath.name(of: path))
    var rest: [String] = []
    while !FileSystem.exists(folder), folder != FilePath.folder(of: folder) {
      rest.insert(missing, at: 0)
      (folder, missing) = (FilePath.folder(of: folder), FilePath.name(of: folder))
    }
    guard let entries = try? FileSystem.entries(of: folder),
      let nearest = Suggestion.nearest(missing, among: entries.filter { !$0.hasPrefix(".") })
    else { return nil }
    let found = ([folder == "." && !path.hasPrefix("./") ? "" : folder] + [nearest] + rest)
      .filter { !$0.isEmpty }.reduce("") { $0.isEmpty ? $1 : FilePath.join($0, $1) }
    return FileSystem.exists(found) ? found : nil
  }

  /// A name of a model in one of the caches.
  private static func name(_ name: String) -> String? {
    let known = ModelResolver(environment: Output.environment).caches.flatMap(\.modelNames)
    return known.contains(name) ? nil : Suggestion.nearest(name, among: known)
  }
}
