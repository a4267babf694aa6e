import Foundation
import Methods
import NN
import TestSupport
import Testing
import Torch

@testable import Continual

/// A long run holds no more at its end than when it was warm. In a process of its own: handles and memory belong to
/// the whole process.
@Suite struct LeakTests {
  @Test func handlesAndMemoryStayFlatOverManyUpdates() async {
    await #expect(processExitsWith: .success) {
      // oneDNN keeps the plans of a thousand shapes of products, and would fill memory with them for long.
      setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "32", 1)
      Runtime.threads = 1
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
      precondition(handles.count == 10, "\(handles)")
      // The buffer of ER may still fill, a handle or two an example.
      precondition(handles[9] <= handles[0] + 50, "\(handles)")
      // The allocator's arenas settle during the second task.
      precondition(bytes[9] < bytes[5] + 10_000_000, "\(bytes)")
    }
  }

  private static var residentBytes: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
  }
}
