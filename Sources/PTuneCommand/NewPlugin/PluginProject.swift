import PTuneFormats
import PTuneLibc
import PTunePlugins

/// The files of a new plugin's project, made from the templates.
struct PluginProject {
  let name: String
  let kind: ComponentKind
  let language: PluginLanguage
  let kit: PluginKit

  private var snake: String { name.replacing("-", with: "_") }
  private var type: String { name.split(separator: "-").map(\.capitalized).joined() }

  /// Template and place of each file.
  private var files: [(template: String, name: String)] {
    let common = "\(language.rawValue)/common"
    let own = "\(language.rawValue)/\(kind.rawValue)/plugin"
    var files = [
      ("README.md", "README.md"), ("\(common)/gitignore", ".gitignore"), ("\(common)/Makefile", "Makefile"),
      ("parity/\(kind.rawValue)/parity.py", "tests/parity.py"),
    ]
    if kind == .baseModel { files.append(("parity/base-model/make_model.py", "tests/make_model.py")) }
    switch language {
    case .c: files.append(("\(own).c", source))
    case .swift:
      files += [
        ("\(common)/Package.swift", "Package.swift"), ("\(common)/plugin.map", "Linker/plugin.map"),
        ("\(own).swift", source),
      ]
    case .rust:
      files += [
        ("\(common)/Cargo.toml", "Cargo.toml"), ("\(common)/kit.rs", "src/kit.rs"),
        ("\(common)/ptune.rs", "src/ptune.rs"), ("\(own).rs", source),
      ]
    }
    return files
  }

  /// The plugin's own file.
  private var source: String {
    switch language {
    case .c: "\(snake).c"
    case .swift: "Sources/\(type)/\(type).swift"
    case .rust: "src/lib.rs"
    }
  }

  /// The files' names in the project.
  var fileNames: [String] { files.map(\.name).sorted() }

  /// What stands for what in the templates.
  private var words: [(String, String)] {
    [
      ("__NAME__", name), ("__SNAKE__", snake), ("__TYPE__", type), ("__INCLUDE__", kit.include),
      ("__KIT__", kit.package), ("__PTUNE__", kit.executable), ("__SOURCE__", source),
      ("__LANGUAGE__", language.title),
      ("__ARTICLE__", kind.article.prefix(1).uppercased() + kind.article.dropFirst()),
      (" __CHECK_OPTIONS__", kind == .baseModel ? " --model tests/tiny-model" : ""),
      ("__RUN__", runFileLines),
    ]
  }

  private var runFileLines: String {
    switch kind {
    case .adapter: "adapter: {plugin: \(name), virtual_tokens: 20}"
    case .selector: "adapter: {plugin: prompt-pool}\nselector: \(name)"
    case .taskHead: "tasks: [{head: \(name), data: {train: train.tsv}}]"
    case .baseModel: "base: {plugin: \(name), model: tests/tiny-model}"
    }
  }

  /// Makes the project's folder, whole or not at all.
  ///
  /// - Throws: ``PluginProjectError/exists(_:)``, or `FileError`.
  func write(to folder: String) throws {
    guard !FileSystem.exists(folder) else { throw PluginProjectError.exists(folder) }
    let parent = FilePath.folder(of: folder)
    try FileSystem.createFolder(parent)
    let draft = FilePath.join(parent, ".\(FilePath.name(of: folder)).\(getpid()).new")
    for file in files {
      let template = FilePath.join(kit.templates, file.template)
      var text = try MappedFile(template).text()
      for (word, value) in words { text = text.replacing(word, with: value) }
      let path = FilePath.join(draft, file.name)
      try FileSystem.createFolder(FilePath.folder(of: path))
      try AtomicFile.write(text, to: path)
    }
    guard rename(draft, folder) == 0 else { throw FileError(.replace, folder) }
  }
}
