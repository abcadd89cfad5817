/// Why a safetensors file cannot be read or written.
public struct SafetensorsError: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Problem: Equatable, Sendable {
    /// The file ends before its header does.
    case truncatedHeader(needed: UInt64, size: Int)
    /// The header's length is beyond the format's limit.
    case hugeHeader(UInt64, limit: Int)
    /// The header is no JSON object.
    case header(JSONError.Problem)
    /// The header does not begin with '{'.
    case notAnObject
    /// A member of the header is not what the format says.
    case member(tensor: String, String)
    /// A tensor of a type that is not known here.
    case unknownType(tensor: String, String)
    /// A tensor's bytes are not as many as its shape and type need.
    case size(tensor: String, bytes: Int, needed: Int)
    /// A tensor's shape has more elements than fit an integer.
    case overflow(tensor: String, shape: [Int])
    /// A tensor ends beyond the file.
    case truncatedData(tensor: String, end: Int, size: Int)
    /// A tensor does not begin where the one before ends.
    case gap(tensor: String, begin: Int, expected: Int)
    /// Bytes that belong to no tensor stand at the end.
    case excess(bytes: Int)
    /// No tensor of this name is there.
    case missing(tensor: String)
    /// A tensor that is no array of floats was asked for as one.
    case notFloats(tensor: String, TensorType)
    /// A tensor was given twice to be written.
    case duplicate(tensor: String)
  }

  /// The file.
  public let file: String
  /// What is wrong.
  public let problem: Problem

  /// What to do about it.
  public var help: String? {
    switch problem {
    case .truncatedHeader, .truncatedData: "the file is truncated; fetch or copy it again"
    case .hugeHeader, .notAnObject, .header: "this is not a safetensors file, or it is damaged"
    case .member, .unknownType, .size, .overflow, .gap, .excess:
      "the file is damaged or was written wrongly; fetch or convert it again"
    case .missing: "see what the file contains: ptune inspect '\(file)'"
    case .notFloats:
      "8-bit and packed types are those of quantised checkpoints, which are not read; take the model's own weights"
    case .duplicate: nil
    }
  }
}

extension SafetensorsError: HelpfulError {
  /// The file and the problem, in one line.
  public var description: String { "\(file): \(problem.text)" }
}

extension SafetensorsError.Problem {
  fileprivate var text: String {
    switch self {
    case .truncatedHeader(let needed, let size):
      "the header needs \(needed) bytes, but the file has \(size)"
    case .hugeHeader(let length, let limit):
      "the header claims to have \(length) bytes; the format allows \(limit)"
    case .header(let problem): "the header is not JSON: \(problem.text)"
    case .notAnObject: "the header does not begin with '{'"
    case .member(let tensor, let expected): "'\(tensor)' in the header: \(expected)"
    case .unknownType(let tensor, let type): "tensor '\(tensor)' has the unknown type '\(type)'"
    case .size(let tensor, let bytes, let needed):
      "tensor '\(tensor)' has \(bytes) bytes, but its shape and type need \(needed)"
    case .overflow(let tensor, let shape): "tensor '\(tensor)' has the impossible shape \(shape)"
    case .truncatedData(let tensor, let end, let size):
      "tensor '\(tensor)' ends at byte \(end) of the data, which has \(size)"
    case .gap(let tensor, let begin, let expected):
      "tensor '\(tensor)' begins at byte \(begin) of the data instead of \(expected)"
    case .excess(let bytes): "\(bytes) bytes at the end belong to no tensor"
    case .missing(let tensor): "there is no tensor '\(tensor)'"
    case .notFloats(let tensor, let type):
      "tensor '\(tensor)' has the type \(type.rawValue), not floats"
    case .duplicate(let tensor): "two tensors have the name '\(tensor)'"
    }
  }
}
