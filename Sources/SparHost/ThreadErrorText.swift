import Glibc

/// The error text of the calling thread, as plugins set it.
enum ThreadErrorText {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { free($0) }
    precondition(status == 0, "no thread-local storage left: \(systemError(status))")
    return key
  }()

  static func set(_ text: UnsafePointer<CChar>?) {
    free(pthread_getspecific(key))
    pthread_setspecific(key, text.flatMap { strdup($0) })
  }

  /// The text since the last call, or nil; clears it.
  static func take() -> String? {
    guard let raw = pthread_getspecific(key) else { return nil }
    defer { set(nil) }
    return String(cString: raw.assumingMemoryBound(to: CChar.self))
  }
}
