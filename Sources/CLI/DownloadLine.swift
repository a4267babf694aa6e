import Foundation
import Hub
import Synchronization

/// How far a download is: one line a file that counts up on a terminal, plain lines elsewhere.
final class DownloadLine: Sendable {
  private struct State {
    var file = ""
    var shown = ContinuousClock.now
  }

  private let isTerminal = isatty(2) == 1
  private let state = Mutex(State())

  func update(_ progress: HubProgress) {
    let total = progress.total.map { "\(Bytes($0))" } ?? "unknown size"
    let isEnd = progress.bytes == progress.total
    state.withLock { state in
      let isNew = state.file != progress.file
      if isTerminal {
        guard isNew || isEnd || state.shown.duration(to: .now) > .milliseconds(100) else { return }
        let share = progress.total.map { $0 > 0 ? "\(100 * progress.bytes / $0) % of " : "" } ?? ""
        write("\r\u{1B}[2K\(progress.file)  \(isEnd ? "" : share)\(total)\(isEnd ? "\n" : "")")
      } else {
        guard isNew || state.shown.duration(to: .now) > .seconds(15) else { return }
        write(
          isNew ? "fetching \(progress.file), \(total)\n" : "\(progress.file)  \(Bytes(progress.bytes)) of \(total)\n")
      }
      (state.file, state.shown) = (progress.file, .now)
    }
  }

  func say(_ text: String) { write(isTerminal ? "\r\u{1B}[2K\(text)\n" : "\(text)\n") }

  // A closed terminal or pipe must not end a download.
  private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
