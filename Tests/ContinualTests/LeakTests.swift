import Foundation
import Methods
import NN
import TestSupport
import Testing
import Torch

@testable import Continual

/// A long run holds no more memory at its end than when it was warm.
@Suite(.serialized) struct LeakTests {
  @Test func handlesAndMemoryStayFlatOverManyUpdates() throws {
    let small = try Small(
      dropout: 0.1, settings: { ($0.epochs, $0.maxUpdates, $0.batchSize) = (1000, 1000, 2) },
      evaluation: { $0.future = false }
    ) { [ER(.init(), learner: $0), MIGU(.init(), learner: $0)] }
    var handles: [Int] = [], bytes: [Int] = []
    small.recorder.onUpdate = { trainer, _ in
      // The first task warms up; the second and third, 2000 updates, are watched.
      guard trainer.progress.experience > 0, trainer.progress.step % 200 == 100 else { return }
      handles.append(Runtime.liveHandles)
      bytes.append(Self.residentBytes)
    }
    try small.trainer.run()
    #expect(handles.count == 10)
    // Other suites may run beside this one, so that a few handles of theirs come and go.
    #expect(handles.suffix(3).min() ?? .max <= (handles.prefix(3).min() ?? 0) + 300, "\(handles)")
    #expect(bytes.suffix(3).min() ?? .max < (bytes.prefix(3).min() ?? 0) + 40_000_000, "\(bytes)")
  }

  private static var residentBytes: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
  }
}
