/// A metadata value of a GGUF file.
public enum GGUFValue: Equatable, Sendable {
  /// An integer of up to 64 bits.
  case integer(Int64)
  /// An integer of 64 bits without sign.
  case unsigned(UInt64)
  /// A float of 32 or 64 bits.
  case number(Double)
  /// A boolean.
  case boolean(Bool)
  /// A string.
  case string(String)
  /// An array, which is read out of the file when it is asked for.
  case array(GGUFArray)

  /// What it is, in words for an error.
  public var kind: String {
    switch self {
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .number(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .string: "a string"
    case .array(let array): "an array of \(array.type)s"
    }
  }

  /// The integer, if this is one that fits.
  public var integer: Int? {
    switch self {
    case .integer(let value): Int(exactly: value)
    case .unsigned(let value): Int(exactly: value)
    default: nil
    }
  }

  /// The number, if this is one.
  public var number: Double? {
    if case .number(let value) = self { value } else { integer.map(Double.init) }
  }

  /// The string, if this is one.
  public var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// The boolean, if this is one.
  public var boolean: Bool? {
    if case .boolean(let value) = self { value } else { nil }
  }
}

/// Where an array of the metadata stands in its file.
public struct GGUFArray: Equatable, Sendable {
  /// The type of its elements.
  public let type: GGUFValueType
  /// How many elements it has.
  public let count: Int
  /// Where the first one stands, in bytes from the beginning of the file.
  let start: Int
}

/// The types of metadata values. Source: ggml's `gguf_type`.
public enum GGUFValueType: UInt32, Sendable {
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// The bytes that a value takes at least.
  var leastBytes: Int {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64, .string: 8
    case .array: 4 + 8
    }
  }
}

extension GGUFCursor {
  private static let deepest = 4

  mutating func valueType(_ key: String) throws(GGUFError.Problem) -> GGUFValueType {
    let number: UInt32 = try number("the type of '\(key)'")
    guard let type = GGUFValueType(rawValue: number) else { throw .valueType(key: key, number) }
    return type
  }

  /// The value of a key. Arrays are only checked: their elements stay in the file.
  mutating func value(_ key: String, _ type: GGUFValueType) throws(GGUFError.Problem) -> GGUFValue {
    let what = { "'\(key)'" }
    switch type {
    case .uint8: return .integer(Int64(try number(what(), as: UInt8.self)))
    case .int8: return .integer(Int64(try number(what(), as: Int8.self)))
    case .uint16: return .integer(Int64(try number(what(), as: UInt16.self)))
    case .int16: return .integer(Int64(try number(what(), as: Int16.self)))
    case .uint32: return .integer(Int64(try number(what(), as: UInt32.self)))
    case .int32: return .integer(Int64(try number(what(), as: Int32.self)))
    case .uint64: return .unsigned(try number(what()))
    case .int64: return .integer(try number(what()))
    case .float32: return .number(Double(Float(bitPattern: try number(what()))))
    case .float64: return .number(Double(bitPattern: try number(what())))
    case .bool: return .boolean(try number(what(), as: UInt8.self) != 0)
    case .string: return .string(try string(what()))
    case .array: return .array(try skipArray(key, depth: 1))
    }
  }

  private mutating func skipArray(_ key: String, depth: Int) throws(GGUFError.Problem) -> GGUFArray {
    guard depth <= Self.deepest else { throw .nesting(key: key) }
    let type = try valueType(key)
    let count = try count("'\(key)'", least: type.leastBytes)
    let array = GGUFArray(type: type, count: count, start: place)
    switch type {
    case .string: for _ in 0..<count { try skipString("'\(key)'") }
    case .array: for _ in 0..<count { _ = try skipArray(key, depth: depth + 1) }
    default: try skip(UInt64(count * type.leastBytes), "'\(key)'")
    }
    return array
  }
}
