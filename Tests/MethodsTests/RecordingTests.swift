import HostAccelerator
import Testing
import Torch

/// Recordings of a device's work, on one that any machine has.
@Suite struct RecordingTests {
  /// Whether libtorch lets a device of one's own record: from 2.12 on.
  static let isExpected = !Runtime.torchVersion.hasPrefix("2.11.")

  /// Registers the device, in a process of a test's own, and makes sure that it records.
  static func begin() {
    host_accelerator_register()
    precondition(Recording.isSupported(on: .custom), "the device of tests records nothing")
  }

  @Test func theCPURecordsNothing() { #expect(!Recording.isSupported(on: .cpu)) }

  /// Each replay reads what stands in the inputs then, and goes on from what the last one left.
  @Test(.enabled(if: isExpected)) func replaysGoOn() async {
    await #expect(processExitsWith: .success) {
      RecordingTests.begin()
      let x = Tensor([1, 2, 3] as [Float], device: .custom), sum = Tensor.zeros([3], device: .custom)
      var doubled: Tensor?
      let recording = Recording(on: .custom) {
        doubled = x * 2
        sum.add(x * x)
      }
      precondition(sum.to(device: .cpu).values() == [0, 0, 0], "recording did the work")
      recording.replay()
      x.copy(from: Tensor([2, 0, 1] as [Float], device: .custom))
      recording.replay()
      precondition(sum.to(device: .cpu).values() == [5, 4, 10])
      precondition(doubled?.to(device: .cpu).values() == [4, 0, 2])
    }
  }

  /// A replay draws on from the seed that was set before it.
  @Test(.enabled(if: isExpected)) func replaysDraw() async {
    await #expect(processExitsWith: .success) {
      RecordingTests.begin()
      let x = Tensor.ones([64], device: .custom)
      var dropped: Tensor?, generator = Generator(seed: 1)
      let recording = generator.drawing {
        Recording(on: .custom) {
          var ignored = Generator(seed: 0)
          dropped = x.dropout(0.5, &ignored)
        }
      }
      let draws = [1, 1, 2].map { (seed: UInt64) in
        var generator = Generator(seed: seed)
        generator.drawing { recording.replay() }
        return dropped?.to(device: .cpu).values() ?? []
      }
      precondition(draws[0] == draws[1] && draws[0] != draws[2])
    }
  }

  @Test(.enabled(if: isExpected)) func whatReadsTheProgramsMemoryCannotBeRecorded() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      RecordingTests.begin()
      _ = Recording(on: .custom) { _ = Tensor([1, 2] as [Float], device: .custom) }
    }
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains("a recording neither reads nor writes the program's memory"), "\(output)")
  }

  @Test(.enabled(if: isExpected)) func whatIsReadCannotBeRecorded() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      RecordingTests.begin()
      let x = Tensor.ones([1], device: .custom)
      _ = Recording(on: .custom) { _ = x.item() }
    }
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains("a recording cannot be waited for"), "\(output)")
  }
}
