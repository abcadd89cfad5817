/// What a safetensors file says about one tensor.
public struct TensorInfo: Equatable, Sendable {
  /// Its name.
  public let name: String
  /// The type of its elements.
  public let type: TensorType
  /// Its shape; empty for a scalar.
  public let shape: [Int]
  /// Its place in the file, in bytes from the beginning.
  public let range: Range<Int>

  /// How many elements it has.
  public var count: Int { range.count / type.byteCount }
}

/// The header of a safetensors file, checked as strictly as the reference implementation does it: tensors
/// cover the data without holes, overlaps and remainders, and each has exactly the bytes that its shape
/// needs. Source: github.com/huggingface/safetensors, "Format" and `SafeTensors::deserialize`.
struct SafetensorsHeader {
  static let lengthSize = 8
  static let limit = 100_000_000

  /// In the order of their data.
  let tensors: [TensorInfo]
  let metadata: [String: String]

  init(_ file: String, _ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
    func fail(_ problem: SafetensorsError.Problem) -> SafetensorsError {
      SafetensorsError(file: file, problem: problem)
    }
    guard bytes.count >= Self.lengthSize else {
      throw fail(.truncatedHeader(needed: UInt64(Self.lengthSize), size: bytes.count))
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= Self.limit else { throw fail(.hugeHeader(length, limit: Self.limit)) }
    let dataStart = Self.lengthSize + Int(length)
    guard dataStart <= bytes.count else {
      throw fail(.truncatedHeader(needed: UInt64(dataStart), size: bytes.count))
    }
    let text = UnsafeRawBufferPointer(rebasing: bytes[Self.lengthSize..<dataStart])
    guard text.first == UInt8(ascii: "{") else { throw fail(.notAnObject) }

    var members = JSONObject()
    do throws(JSONError) {
      let header = try JSONValue.parse(bytes: text, file: file, options: JSONOptions(depth: 8))
      members = header.objectValue ?? JSONObject()
    } catch {
      throw fail(.header(error.problem))
    }

    var tensors: [TensorInfo] = []
    var metadata: [String: String] = [:]
    do throws(SafetensorsError.Problem) {
      for (name, value) in members {
        if name == "__metadata__" {
          metadata = try Self.metadata(value)
        } else {
          tensors.append(try Self.tensor(name, value, dataStart: dataStart))
        }
      }
      tensors.sort {
        ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
      }
      try Self.checkCover(tensors, dataStart: dataStart, size: bytes.count)
    } catch {
      throw fail(error)
    }
    self.tensors = tensors
    self.metadata = metadata
  }

  private static func metadata(_ value: JSONValue) throws(SafetensorsError.Problem) -> [String: String] {
    guard let object = value.objectValue else {
      throw .member(tensor: "__metadata__", "expected an object but found \(value.kind)")
    }
    var metadata: [String: String] = [:]
    for (key, value) in object {
      guard let text = value.stringValue else {
        throw .member(tensor: "__metadata__", "expected '\(key)' to be a string but found \(value.kind)")
      }
      metadata[key] = text
    }
    return metadata
  }

  private static func tensor(
    _ name: String, _ value: JSONValue, dataStart: Int
  ) throws(SafetensorsError.Problem) -> TensorInfo {
    guard case .object(let object) = value else {
      throw .member(tensor: name, "expected an object but found \(value.kind)")
    }
    guard case .string(let typeName)? = object["dtype"] else {
      throw .member(tensor: name, "expected 'dtype' to be a string")
    }
    guard let type = TensorType(rawValue: typeName) else { throw .unknownType(tensor: name, typeName) }
    let shape = try naturals(name, "shape", object["shape"])
    let offsets = try naturals(name, "data_offsets", object["data_offsets"])
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw .member(tensor: name, "expected 'data_offsets' to be [begin, end]")
    }
    var needed = type.byteCount
    for dimension in shape {
      let (product, overflow) = needed.multipliedReportingOverflow(by: dimension)
      guard !overflow else { throw .overflow(tensor: name, shape: shape) }
      needed = product
    }
    guard offsets[1] - offsets[0] == needed else {
      throw .size(tensor: name, bytes: offsets[1] - offsets[0], needed: needed)
    }
    let (end, overflow) = offsets[1].addingReportingOverflow(dataStart)
    guard !overflow else { throw .member(tensor: name, "expected 'data_offsets' to be within the file") }
    return TensorInfo(name: name, type: type, shape: shape, range: offsets[0] + dataStart..<end)
  }

  private static func naturals(
    _ name: String, _ key: String, _ value: JSONValue?
  ) throws(SafetensorsError.Problem) -> [Int] {
    var numbers: [Int] = []
    for element in value?.arrayValue ?? [.null] {
      guard case .int(let number) = element, number >= 0 else {
        throw .member(tensor: name, "expected '\(key)' to be a list of integers from 0")
      }
      numbers.append(number)
    }
    return numbers
  }

  private static func checkCover(
    _ tensors: [TensorInfo], dataStart: Int, size: Int
  ) throws(SafetensorsError.Problem) {
    var end = dataStart
    for tensor in tensors {
      guard tensor.range.lowerBound == end else {
        throw .gap(tensor: tensor.name, begin: tensor.range.lowerBound - dataStart, expected: end - dataStart)
      }
      guard tensor.range.upperBound <= size else {
        throw .truncatedData(
          tensor: tensor.name, end: tensor.range.upperBound - dataStart, size: size - dataStart)
      }
      end = tensor.range.upperBound
    }
    guard end == size else { throw .excess(bytes: size - end) }
  }
}

extension SafetensorsError.Problem: Error {}
