/// The members of a JSON object in their order, found by key in constant time.
public struct JSONObject: Sendable {
  /// The keys, in order.
  public private(set) var keys: [String] = []
  /// The values, in the order of the keys.
  public private(set) var values: [JSONValue] = []
  /// Where each key is; empty while there are so few members that looking through them is quicker.
  private var places = KeyIndex()

  private static let indexedFrom = 9

  /// An object without members.
  public init() {}

  /// How many members there are.
  public var count: Int { keys.count }

  /// Whether there are no members.
  public var isEmpty: Bool { keys.isEmpty }

  /// The value of a key; setting nil removes the member, setting a new key appends one.
  public subscript(key: String) -> JSONValue? {
    get { place(of: key).map { values[$0] } }
    set {
      guard let newValue else { return remove(key) }
      if let place = place(of: key) {
        values[place] = newValue
      } else {
        _ = append(key, newValue)
      }
    }
  }

  /// Appends a member unless the key is there already; says whether it did.
  mutating func append(_ key: String, _ value: JSONValue) -> Bool {
    if keys.count + 1 < Self.indexedFrom {
      guard place(of: key) == nil else { return false }
    } else {
      if places.isEmpty { index() }
      guard places.append(key, to: keys) else { return false }
    }
    keys.append(key)
    values.append(value)
    return true
  }

  private mutating func remove(_ key: String) {
    guard let place = place(of: key) else { return }
    keys.remove(at: place)
    values.remove(at: place)
    places = KeyIndex()
    if keys.count >= Self.indexedFrom { index() }
  }

  private mutating func index() {
    for key in keys { _ = places.append(key, to: keys) }
  }

  private func place(of key: String) -> Int? {
    if !places.isEmpty { return places.place(of: key, among: keys) }
    let wanted = ByteString(key)
    return keys.firstIndex { ByteString($0) == wanted }
  }
}

extension JSONObject: Sequence {
  /// The members in their order.
  public func makeIterator() -> Zip2Sequence<[String], [JSONValue]>.Iterator {
    zip(keys, values).makeIterator()
  }
}

extension JSONObject: Equatable {
  /// Whether both have the same members, in any order.
  public static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.count == right.count && left.allSatisfy { key, value in right[key] == value }
  }
}

/// A string that equals another if their UTF-8 bytes are the same.
struct ByteString: Hashable {
  let string: String

  init(_ string: String) {
    self.string = string
  }

  static func == (left: ByteString, right: ByteString) -> Bool {
    left.string.utf8.elementsEqual(right.string.utf8)
  }

  func hash(into hasher: inout Hasher) {
    let hashed: Void? = string.utf8.withContiguousStorageIfAvailable {
      hasher.combine(bytes: UnsafeRawBufferPointer($0))
    }
    if hashed == nil {
      for byte in string.utf8 { hasher.combine(byte) }
    }
  }

  /// The order of the UTF-8 bytes, which is that of the code points.
  static func less(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  /// An object with these members; of two with one key the last counts.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements { self[key] = value }
  }
}
