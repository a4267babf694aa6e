import Synchronization

/// What a client's closures were called with.
final class Log<Entry: Sendable>: Sendable {
  private let list = Mutex<[Entry]>([])
  var all: [Entry] { list.withLock { $0 } }
  func add(_ entry: Entry) { list.withLock { $0.append(entry) } }
}
