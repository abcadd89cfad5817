import CPTune

/// What a base model is made of: the keys of config.json and the weights (`ptune.checkpoint/1`). It is there in a base
/// model's `init`, `pooler` and `vocabularyScores`.
///
/// A dot in a key leads into an object: "rope_parameters.factor".
public enum Checkpoint {
  private static var table: ptune_checkpoint_v1? { Host.tables.checkpoint?.pointee }

  /// A whole number of config.json.
  ///
  /// - Throws: ``ComponentFailure`` if the key is absent without a default, or holds something else.
  public static func integer(_ key: String, default value: Int? = nil) throws -> Int {
    var number: Int64 = 0
    let found = table?.config_integer(Host.currentCall, key, &number) ?? ptune_found(PTUNE_ABSENT)
    return try resolve(key, found, Int(number), value)
  }
  /// A number of config.json.
  public static func number(_ key: String, default value: Double? = nil) throws -> Double {
    var number = 0.0
    let found = table?.config_number(Host.currentCall, key, &number) ?? ptune_found(PTUNE_ABSENT)
    return try resolve(key, found, number, value)
  }
  /// A boolean of config.json.
  public static func boolean(_ key: String, default value: Bool? = nil) throws -> Bool {
    var flag = false
    let found = table?.config_boolean(Host.currentCall, key, &flag) ?? ptune_found(PTUNE_ABSENT)
    return try resolve(key, found, flag, value)
  }
  /// A text of config.json.
  public static func string(_ key: String, default value: String? = nil) throws -> String {
    var text: UnsafePointer<CChar>?
    let found = table?.config_string(Host.currentCall, key, &text) ?? ptune_found(PTUNE_ABSENT)
    return try resolve(key, found, text.map { String(cString: $0) } ?? "", value)
  }

  private static func resolve<T>(_ key: String, _ found: ptune_found, _ value: T, _ fallback: T?) throws -> T
  {
    if found == PTUNE_FOUND { return value }
    if found == PTUNE_ABSENT, let fallback { return fallback }
    throw ComponentFailure.badArgument("config.json has no key '\(key)', which this base model needs")
  }

  /// Whether the checkpoint holds a tensor of this name.
  public static func hasWeight(_ name: String) -> Bool {
    table?.has_weight(Host.currentCall, name) ?? false
  }

  /// A frozen weight, `[rows, columns]`; a vector is `[1, n]`.
  ///
  /// - Parameter transposed: it is stored `[columns, rows]`, as GPT-2 stores its linear layers.
  /// - Throws: ``ComponentFailure`` if it is missing or has another shape.
  public static func weight(
    _ name: String, rows: Int = 1, columns: Int, transposed: Bool = false
  ) throws -> Tensor {
    guard let handle = table?.weight(Host.currentCall, name, rows, columns, transposed) else {
      throw ComponentFailure("loading weight '\(name)' failed")
    }
    return Tensor(handle: handle)
  }

  /// Rows of a weight, or columns of a vector `[1, n]`, as a weight of its own that shares the memory: for
  /// checkpoints that store queries, keys and values as one.
  ///
  /// - Throws: ``ComponentFailure`` if it has no such rows.
  public static func part(of weight: Tensor, _ range: Range<Int>) throws -> Tensor {
    guard
      let handle = table?.weight_part(Host.currentCall, weight.handle, range.lowerBound, range.count)
    else { throw ComponentFailure("taking rows \(range) of a weight failed") }
    return Tensor(handle: handle)
  }
}
