import PTuneLibc

/// A pointer that each thread has its own of; nil until the thread sets it.
public struct ThreadLocalPointer: Sendable {
  private let key: pthread_key_t

  /// A pointer of its own kind. The system has room for some hundreds; they are made once and never freed.
  public init() {
    var key = pthread_key_t()
    // Only fails when the process has used up all keys, and then every later read gives nil.
    pthread_key_create(&key, nil)
    self.key = key
  }

  /// This thread's pointer.
  public var value: UnsafeMutableRawPointer? {
    get { pthread_getspecific(key) }
    nonmutating set { pthread_setspecific(key, newValue) }
  }
}
