import PTune

/// Collects what `encode` emits.
public final class TargetCollector {
  /// Integer targets, in order.
  public internal(set) var integers: [Int32] = []
  /// Number targets, in order.
  public internal(set) var numbers: [Float] = []
}

/// Collects what `predict` states: keys and JSON values.
public final class PredictionCollector {
  /// In the order they were stated.
  public internal(set) var members: [(key: String, json: String)] = []

  /// Adds a member; says what is wrong with it, or nil.
  func put(_ key: UnsafePointer<CChar>, _ value: UnsafePointer<CChar>) -> String? {
    guard let key = String(validatingCString: key), !key.isEmpty else {
      return "put: the key is empty, or not UTF-8"
    }
    guard let json = String(validatingCString: value) else {
      return "put: the value of '\(key)' is not UTF-8"
    }
    guard FieldValue(json: json) != nil else {
      return
        "put: the value of '\(key)' is not JSON: \(json.prefix(200)); quotes and backslashes of texts are to be escaped"
    }
    if members.contains(where: { $0.key == key }) { return "put: '\(key)' is given twice" }
    members.append((key, json))
    return nil
  }
}
