import Foundation
import Synchronization

/// Ctrl-C, SIGTERM and a closed terminal as a flag that the run looks at between updates. A second signal ends the
/// process at once.
public enum Interrupt {
  private static let count = Atomic<Int>(0)
  private static let message: StaticString = "\nstopping after this update, to save; once more to stop at once\n"

  public static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  /// Installs the handlers.
  public static func install() {
    // The reader of a pipe may go away while a run goes on.
    signal(SIGPIPE, SIG_IGN)
    // Whoever started this process from a worker thread handed its blocked signals down.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&blocked, number) }
    pthread_sigmask(SIG_UNBLOCK, &blocked, nil)
    // `nohup` ignores SIGHUP, and that stays so.
    for number in [SIGINT, SIGTERM, SIGHUP] where !(number == SIGHUP && isIgnored(number)) {
      signal(number) { number in
        if Interrupt.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
        _ = write(2, Interrupt.message.utf8Start, Interrupt.message.utf8CodeUnitCount)
      }
    }
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    let before = signal(number, SIG_IGN)
    signal(number, before)
    return unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
