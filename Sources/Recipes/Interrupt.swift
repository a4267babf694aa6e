import Foundation
import Synchronization

/// Ctrl-C and SIGTERM as a flag that the run looks at between updates. A second signal ends the process at once.
public enum Interrupt {
  private static let count = Atomic<Int>(0)

  public static var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  /// Installs the handlers.
  public static func install() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        if Interrupt.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
      }
    }
  }
}
