/// Keys and values that the rows of earlier passes left, layer by layer: what later rows attend to, in addition to each other.
///
/// It grows by whole chunks of rows, and what is stored never moves.
final class KeyValueCache {
  /// Memory is taken for a multiple of so many rows.
  static let chunk = 64

  /// `[capacity, columns]` of keys and as much of values, of which the first `count` rows are there.
  final class Block {
    let keys, values: UnsafeMutablePointer<Float>
    let capacity, columns: Int
    fileprivate(set) var count = 0
    /// Where they stand, and 1 for those that stand for no token.
    fileprivate(set) var places: [Int32] = []
    fileprivate(set) var injected: [UInt8] = []

    fileprivate init(capacity: Int, columns: Int) {
      (self.capacity, self.columns) = (capacity, columns)
      keys = .allocate(capacity: capacity * columns)
      values = .allocate(capacity: capacity * columns)
    }

    deinit {
      keys.deallocate()
      values.deallocate()
    }
  }

  /// The blocks of each layer, in the order of their rows.
  private(set) var layers: [[Block]]
  let columns: Int

  /// An empty cache.
  ///
  /// - Parameter columns: those of a layer's keys, and of its values.
  init(layers: Int, columns: Int) {
    self.layers = Array(repeating: [], count: layers)
    self.columns = columns
  }

  /// Appends rows `[rows, columns]` to a layer.
  ///
  /// - Parameters:
  ///   - places: where they stand.
  ///   - injected: 1 for those that stand for no token.
  func append(
    layer: Int, rows: Int, keys: UnsafePointer<Float>, values: UnsafePointer<Float>,
    places: ArraySlice<Int32>, injected: ArraySlice<UInt8>
  ) {
    var done = 0
    while done < rows {
      if layers[layer].last.map({ $0.count == $0.capacity }) ?? true {
        let capacity = (rows - done + Self.chunk - 1) / Self.chunk * Self.chunk
        layers[layer].append(Block(capacity: capacity, columns: columns))
      }
      let block = layers[layer][layers[layer].count - 1]
      let count = min(rows - done, block.capacity - block.count)
      (block.keys + block.count * columns).update(from: keys + done * columns, count: count * columns)
      (block.values + block.count * columns).update(from: values + done * columns, count: count * columns)
      block.count += count
      block.places += places.dropFirst(done).prefix(count)
      block.injected += injected.dropFirst(done).prefix(count)
      done += count
    }
  }

  /// How many keys of a layer stand for no token.
  func injectedCount(layer: Int) -> Int32 {
    layers[layer].reduce(0) { $0 + $1.injected.reduce(0) { $0 + Int32($1) } }
  }

  /// Bytes taken for all layers.
  var bytes: Int {
    layers.joined().reduce(0) { $0 + 2 * $1.capacity * columns * MemoryLayout<Float>.stride }
  }
}

/// What the sequences of a pass have behind them.
struct PassHistory {
  /// What all of them see; nil before there is anything.
  var shared: KeyValueCache?
  /// What each of them sees; empty where all of them begin.
  var sequences: [KeyValueCache] = []

  /// The blocks that a sequence sees at a layer, in order.
  func blocks(_ sequence: Int, layer: Int) -> [KeyValueCache.Block] {
    (shared?.layers[layer] ?? []) + (sequences.isEmpty ? [] : sequences[sequence].layers[layer])
  }
}
