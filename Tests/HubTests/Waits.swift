import Hub
import Synchronization

/// The seconds that a client would have waited.
final class Waits: Sendable {
  private let list = Mutex<[Double]>([])
  var seconds: [Double] { list.withLock { $0 } }
  func add(_ seconds: Double) { list.withLock { $0.append(seconds) } }
}

/// The progress that a client reported.
final class Seen: Sendable {
  private let list = Mutex<[HubProgress]>([])
  var all: [HubProgress] { list.withLock { $0 } }
  func add(_ progress: HubProgress) { list.withLock { $0.append(progress) } }
}
