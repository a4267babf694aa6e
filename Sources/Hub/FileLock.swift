import Foundation

/// A lock between processes; the Hub's Python library takes the same.
struct FileLock {
  let isCancelled: () -> Bool
  /// Called once where another holds the lock.
  let isWaiting: () -> Void

  func hold<Value>(_ url: URL, _ body: () throws -> Value) throws -> Value {
    let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o664)
    guard descriptor >= 0 else { throw HubError.cannotWrite(path: url.path, code: errno) }
    defer { close(descriptor) }
    var hasWaited = false
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw HubError.cannotWrite(path: url.path, code: errno) }
      if isCancelled() { throw HubError.interrupted }
      if !hasWaited { isWaiting() }
      hasWaited = true
      usleep(100_000)
    }
    return try body()
  }
}
