import PTune

/// Which component this thread is calling, as text that a signal handler can write out: when a plugin crashes, nothing
/// else of the program can be trusted.
public enum CallInProgress {
  private static let pointer = ThreadLocalPointer()
  private static let capacity = 512

  /// "adapter prefix-tuning (FILE), inject", zero-terminated; nil while this thread calls no component. It is read where
  /// it stands, without a lock and without memory being taken.
  public static var text: UnsafePointer<CChar>? {
    guard let buffer = pointer.value?.assumingMemoryBound(to: CChar.self), buffer.pointee != 0 else {
      return nil
    }
    return UnsafePointer(buffer)
  }

  /// Sets the text; nil for no component.
  static func set(_ identity: ComponentIdentity?, _ method: String) {
    let buffer = ownBuffer()
    var place = 0
    func add(_ text: String) {
      for byte in text.utf8 where place < capacity - 1 {
        buffer[place] = CChar(bitPattern: byte)
        place += 1
      }
    }
    if let identity {
      add(identity.component)
      if let plugin = identity.plugin {
        add(" (")
        add(plugin)
        add(")")
      }
      add(", ")
      add(method)
    }
    buffer[place] = 0
  }

  /// This thread's buffer. A thread that ends leaves it behind: few threads ever call components.
  private static func ownBuffer() -> UnsafeMutablePointer<CChar> {
    if let known = pointer.value { return known.assumingMemoryBound(to: CChar.self) }
    let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
    pointer.value = UnsafeMutableRawPointer(buffer)
    return buffer
  }
}
