/// Why a model was not found.
public struct ModelError: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Problem: Equatable, Sendable {
    /// It is in none of these places.
    case notFound(places: [String], name: HubName?)
    /// The text is neither a path nor a name.
    case noName
    /// The path is not a folder.
    case notAFolder
    /// The folder lacks a file.
    case incomplete(String, name: HubName?)
    /// An abbreviated commit fits several.
    case ambiguous(commits: [String])
  }

  /// The model as the user named it, or its folder.
  public let model: String
  /// What is wrong.
  public let problem: Problem

  /// What to do about it.
  public var help: String? {
    switch problem {
    case .notFound(_, nil): "check the path, or give a model's name on the Hugging Face hub (owner/name)"
    case .notFound(_, let name?): "fetch it with '\(Self.download(name))', or give the path of a folder"
    case .noName:
      "give the path of a folder, or a name on the Hugging Face hub: owner/name or owner/name@revision"
    case .notAFolder: "name the folder that contains config.json and \(WeightFiles.single), or a .gguf file"
    case .incomplete(_, let name?): "fetch the rest with '\(Self.download(name))'"
    case .incomplete: "a model folder contains config.json, \(WeightFiles.single) and the tokenizer's files"
    case .ambiguous: "give more digits of the commit"
    }
  }

  private static func download(_ name: HubName) -> String {
    "ptune pull \(name.repository)" + (name.revision.map { "@\($0)" } ?? "")
  }
}

extension ModelError: HelpfulError {
  /// The model and the problem; the places that were looked at, each on a line of its own.
  public var description: String {
    switch problem {
    case .notFound(let places, nil): "there is no model at '\(places.first ?? model)'"
    case .notFound(let places, _):
      (["the model '\(model)' was not found; looked at:"] + places).joined(separator: "\n  ")
    case .noName: "'\(model)' is neither a path nor the name of a model"
    case .notAFolder: "'\(model)' is neither a folder nor a .gguf file"
    case .incomplete(let file, _): "the model folder '\(model)' has no \(file)"
    case .ambiguous(let commits): "'\(model)' fits several commits: \(commits.joined(separator: ", "))"
    }
  }
}
