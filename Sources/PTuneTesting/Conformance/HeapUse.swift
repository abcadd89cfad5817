import CPTunePlatform

/// How much memory this process has in use.
enum HeapUse {
  /// Bytes in blocks that were allocated and not freed; nil where the C library does not say.
  static var bytes: Int? {
    let count = ptune_heap_bytes()
    return count > 0 ? Int(count) : nil
  }
}
