import PTuneFormats

/// Where the parts of ptune are that a plugin is built with.
struct PluginKit {
  /// The templates of `new-plugin`.
  let templates: String
  /// The folder of ptune.h.
  let include: String
  /// The Swift package with the product PTune.
  let package: String
  /// The program.
  let executable: String

  /// Those of an installed ptune, or of the checkout that it was built in.
  ///
  /// - Throws: ``PluginProjectError/noKit(executable:)``.
  static func find(executable: String?) throws -> PluginKit {
    let executable = executable ?? CommandLine.arguments[0]
    let prefix = FilePath.normalised(FilePath.folder(of: executable) + "/..")
    let shared = prefix + "/share/ptune"
    if FileSystem.isFolder(shared + "/templates") {
      return PluginKit(
        templates: shared + "/templates", include: prefix + "/include", package: shared + "/kit/ptune",
        executable: executable)
    }
    var root = FilePath.folder(of: executable)
    while root != "/", root != "." {
      if FileSystem.isFolder(root + "/Templates"), FileSystem.isFile(root + "/Package.swift") {
        return PluginKit(
          templates: root + "/Templates", include: root + "/Sources/CPTune/include", package: root,
          executable: executable)
      }
      root = FilePath.folder(of: root)
    }
    throw PluginProjectError.noKit(executable: executable)
  }
}

/// Why a project cannot be made.
enum PluginProjectError: Error, HelpfulError {
  /// Neither an installation nor a checkout lies around the program.
  case noKit(executable: String)
  /// There is something already.
  case exists(String)

  /// What is wrong.
  var description: String {
    switch self {
    case .noKit(let executable): "\(executable) is neither in an installed ptune nor in a checkout of it"
    case .exists(let folder): "\(folder) already exists"
    }
  }

  /// The way out.
  var help: String? {
    switch self {
    case .noKit: "install it with its templates: make install PREFIX=FOLDER"
    case .exists: "name another folder with --output, or remove it"
    }
  }
}
