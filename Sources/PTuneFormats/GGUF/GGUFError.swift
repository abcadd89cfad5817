/// Why a GGUF file cannot be read.
public struct GGUFError: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Problem: Equatable, Sendable {
    /// The file does not begin with "GGUF".
    case magic
    /// A version of the format that is not read.
    case version(UInt32)
    /// The numbers stand with their highest byte first.
    case bigEndian
    /// The file ends before something that it announces.
    case truncated(what: String, needed: UInt64, left: Int)
    /// A key, a name or a text is not UTF-8; `byte` is the first wrong one, from the beginning of the file.
    case encoding(what: String, byte: Int)
    /// Two keys or two tensors have one name.
    case duplicate(what: String)
    /// A metadata value of a type that the format does not have.
    case valueType(key: String, UInt32)
    /// A metadata array of arrays of arrays, and so on.
    case nesting(key: String)
    /// A metadata value that is needed is not there, or is not what it should be.
    case value(key: String, expected: String, found: String?)
    /// A tensor of a type that is not read.
    case tensorType(tensor: String, UInt32)
    /// A tensor with too many dimensions, an empty one, or more elements than fit an integer.
    case shape(tensor: String, [UInt64])
    /// A tensor whose rows do not consist of whole blocks.
    case row(tensor: String, columns: Int, type: GGUFTensorType)
    /// A tensor that begins at no multiple of the alignment.
    case unaligned(tensor: String, offset: UInt64, alignment: Int)
    /// A tensor that ends beyond the file.
    case truncatedData(tensor: String, end: UInt64, size: Int)
    /// Two tensors share bytes.
    case overlap(tensor: String, other: String)
    /// No tensor of this name is there.
    case missing(tensor: String)
    /// A kind of model that is not read from this format.
    case architecture(String, supported: [String])
    /// A tensor that the architecture does not have.
    case unknownTensor(tensor: String, architecture: String)
    /// A setting that is not supported.
    case setting(key: String, value: String, supported: String)
    /// The file is one part of a model.
    case split(parts: Int)
    /// A folder holds several files, and none is named.
    case several([String])
  }

  /// The file, or the folder.
  public let file: String
  /// What is wrong.
  public let problem: Problem

  /// What to do about it.
  public var help: String? {
    switch problem {
    case .magic: "name a .gguf file, or a folder with config.json and model.safetensors"
    case .version, .bigEndian: "convert the model again with a current llama.cpp, on a little-endian machine"
    case .truncated, .truncatedData: "the file is truncated or damaged; fetch or copy it again"
    case .encoding, .duplicate, .valueType, .nesting, .value, .shape, .row, .unaligned, .overlap:
      "the file is damaged or was written wrongly; fetch or convert it again"
    case .tensorType: "quantise the model to one of these types, or use its safetensors"
    case .missing: "this is not a complete model; fetch or convert it again"
    case .architecture, .unknownTensor, .setting: "use the model's safetensors, if there are any"
    case .split: "join the parts: llama-gguf-split --merge FIRST-PART WHOLE.gguf, and name the whole"
    case .several: "name one of them"
    }
  }
}

extension GGUFError: HelpfulError {
  /// The file and the problem, in one line.
  public var description: String { "\(file): \(problem.text)" }
}

extension GGUFError.Problem: Error {
  fileprivate var text: String {
    switch self {
    case .magic: "this is not a GGUF file; it does not start with 'GGUF'"
    case .version(let version): "GGUF version \(version) is not supported; versions 2 and 3 are"
    case .bigEndian: "big-endian GGUF files are not supported"
    case .truncated(let what, let needed, let left): "\(what) needs \(needed) bytes, but \(left) are left"
    case .encoding(let what, let byte): "\(what) is not UTF-8 at byte \(byte) of the file"
    case .duplicate(let what): "\(what) is there twice"
    case .valueType(let key, let type): "'\(key)' has the unknown metadata type \(type)"
    case .nesting(let key): "'\(key)' has arrays nested too deep"
    case .value(let key, let expected, let found?): "expected '\(key)' to be \(expected) but found \(found)"
    case .value(let key, let expected, nil): "there is no '\(key)', which should be \(expected)"
    case .tensorType(let tensor, let type):
      "tensor '\(tensor)' has the type \(GGUFTensorType.name(type)), which is not supported; supported are "
        + GGUFTensorType.allCases.map(\.description).joined(separator: ", ")
    case .shape(let tensor, let dimensions): "tensor '\(tensor)' has the impossible dimensions \(dimensions)"
    case .row(let tensor, let columns, let type):
      "tensor '\(tensor)' has rows of \(columns), but \(type) has blocks of \(type.blockCount)"
    case .unaligned(let tensor, let offset, let alignment):
      "tensor '\(tensor)' begins at byte \(offset) of the data, which is not a multiple of the alignment \(alignment)"
    case .truncatedData(let tensor, let end, let size):
      "tensor '\(tensor)' ends at byte \(end), but the file has \(size)"
    case .overlap(let tensor, let other): "tensor '\(tensor)' begins within tensor '\(other)'"
    case .missing(let tensor): "there is no tensor '\(tensor)'"
    case .architecture(let name, let supported):
      "the architecture '\(name)' is not supported; supported are \(supported.joined(separator: ", "))"
    case .unknownTensor(let tensor, let architecture):
      "the tensor '\(tensor)' is not known in the architecture '\(architecture)'"
    case .setting(let key, let value, let supported):
      "'\(key)' is \(value), which is not supported; supported: \(supported)"
    case .split(let parts): "this is one of the \(parts) parts that a model was split into"
    case .several(let names): "the folder contains several GGUF files: \(names.joined(separator: ", "))"
    }
  }
}
