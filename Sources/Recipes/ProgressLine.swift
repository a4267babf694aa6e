import Evaluation
import Foundation

/// What a run says while it works: a bar with tokens/s and time left on a terminal, plain lines elsewhere.
final class ProgressLine {
  private let isTerminal: Bool
  private let isQuiet: Bool
  private let prefix: String
  private var name = ""
  private var updates = 0
  private var first = 0
  private var start = ContinuousClock.now
  private var lastPlain = ContinuousClock.now

  /// - Parameter prefix: stands before every line, to tell runs apart.
  init(prefix: String, isQuiet: Bool) {
    self.prefix = prefix
    self.isQuiet = isQuiet
    isTerminal = isatty(2) == 1
  }

  func say(_ text: String) { if !isQuiet { write("\(prefix)\(text)\n") } }

  /// Said also where progress is not wanted.
  func warn(_ text: String) { write("\(prefix)\(text)\n") }

  func begin(_ name: String, updates: Int, from step: Int) {
    (self.name, self.updates, first) = (name, updates, step)
    start = .now
    lastPlain = .now
  }

  func update(_ step: Int, loss: Double, tokensPerSecond: Double) {
    guard !isQuiet, step > first else { return }
    let left = start.duration(to: .now).seconds / Double(step - first) * Double(updates - step)
    let facts = String(
      format: "%4ld/%ld  loss %.3f  %.0f tokens/s  %@ left", step, updates, loss, tokensPerSecond, Self.time(left))
    if isTerminal {
      let filled = updates > 0 ? 20 * step / updates : 20
      let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: 20 - filled)
      write("\r\u{1B}[2K\(prefix)\(name)  \(bar) \(facts)")
    } else if lastPlain.duration(to: .now).seconds > 15 {
      write("\(prefix)\(name)  \(facts)\n")
      lastPlain = .now
    }
  }

  func end(row matrix: AccuracyMatrix) {
    let row = matrix.rows.last ?? []
    if isTerminal, !isQuiet { write("\r\u{1B}[2K") }
    // Nothing is measured where tasks are learned together, until the last.
    guard row.contains(where: { $0 != nil }) else { return }
    let cells = row.map { $0.map { String(format: "%5.1f", $0) } ?? "    –" }
    let padding = String(repeating: " ", count: max(0, 12 - name.count))
    say("after \(name)\(padding) accuracy \(cells.joined(separator: " "))")
  }

  static func time(_ seconds: Double) -> String {
    let whole = Int(max(0, seconds).rounded())
    return whole >= 3600
      ? String(format: "%ld h %02ld min", whole / 3600, whole / 60 % 60)
      : whole >= 60 ? String(format: "%d min %02d s", whole / 60, whole % 60) : "\(whole) s"
  }

  // A closed terminal or pipe must not end a run.
  private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
