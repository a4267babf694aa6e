import Evaluation
import Foundation
import HostAccelerator
import NN
import Synchronization
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

/// Processes that share every batch end where one process ends, to rounding. Here each is a thread of its own.
@Suite(.enabled(if: Processes.isSupported), .timeLimit(.minutes(2))) struct SharedTrainingTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var processes = 2, batchSize = 4, accumulation = 1
    let methods: @Sendable (Learner) throws -> [any ContinualMethod]
  }

  static let cases = [
    Case(testDescription: "fine-tuning") { [FineTune(NoConfiguration(), learner: $0)] },
    Case(testDescription: "three processes, four rows", processes: 3) { [FineTune(NoConfiguration(), learner: $0)] },
    Case(testDescription: "a process without rows", batchSize: 1) { [MIGU(.init(), learner: $0)] },
    Case(testDescription: "MIGU") { [MIGU(.init(), learner: $0)] },
    Case(testDescription: "MIGU, accumulated", accumulation: 2) { [MIGU(.init(), learner: $0)] },
    Case(testDescription: "EWC and MIGU") {
      [try EWC(configured { $0.strength = 10 }, learner: $0), MIGU(.init(), learner: $0)]
    },
    Case(testDescription: "training of a method's own", batchSize: 2) { [Fitter(.init(), learner: $0)] },
    Case(testDescription: "LwF") { [LwF(.init(), learner: $0)] },
    Case(testDescription: "LoRA and MIGU") {
      [SequentialLoRA(configured { $0.dropout = 0 }, learner: $0), MIGU(.init(), learner: $0)]
    },
  ]

  struct End: Sendable {
    var weights: [String: [Float]] = [:]
    var losses: [Double] = []
    var matrix: [[Double?]] = []
  }

  static func train(_ test: Case, _ processes: Processes?, on device: Device = .cpu) throws -> End {
    let run = try ToyRun(
      device: device, processes: processes,
      settings: { ($0.batchSize, $0.accumulation) = (test.batchSize, test.accumulation) }, methods: test.methods)
    try run.trainer.run()
    return End(
      weights: run.learner.parameters.snapshot().mapValues { $0.values() }, losses: run.recorder.losses,
      matrix: run.trainer.progress.matrix.rows)
  }

  @Test(arguments: cases) func `as one process`(_ test: Case) throws {
    let one = try Self.train(test, nil)
    let all = try together(test.processes) { try Self.train(test, $0) }
    #expect(all.count == test.processes)
    for end in all {
      #expect(end.losses.count == one.losses.count && !one.losses.isEmpty)
      for (a, b) in zip(end.losses, one.losses) { #expect(abs(a - b) < 1e-4 * max(1, abs(b))) }
      #expect(end.matrix == one.matrix)
      #expect(Set(end.weights.keys) == Set(one.weights.keys))
      for (name, values) in one.weights {
        let off = zip(values, end.weights[name] ?? []).map { abs($0 - $1) }.max() ?? .infinity
        #expect(off < 2e-5, "\(name) is off by \(off)")
      }
    }
    // What the processes hold is the same to the bit, or they would drift apart.
    for end in all { #expect(end.weights == all[0].weights) }
  }
}

/// The same on an accelerator, whose gradients wait in buckets of its own.
@Suite(.enabled(if: Processes.isSupported), .timeLimit(.minutes(2))) struct SharedAcceleratorTests {
  @Test func asOneProcess() async {
    await #expect(processExitsWith: .success) {
      host_accelerator_register()
      for test in SharedTrainingTests.cases {
        let one = try SharedTrainingTests.train(test, nil, on: .custom)
        for end in try together(test.processes, { try SharedTrainingTests.train(test, $0, on: .custom) }) {
          for (name, values) in one.weights {
            let off = zip(values, end.weights[name] ?? []).map { abs($0 - $1) }.max() ?? .infinity
            precondition(off < 2e-5, "\(test): \(name) is off by \(off)")
          }
        }
      }
    }
  }
}

/// Runs `body` as each of `count` processes that meet on this machine, each in a thread; their results by rank.
private func together<Result: Sendable>(
  _ count: Int, _ body: @escaping @Sendable (Processes) throws -> Result
) throws -> [Result] {
  let port = 20_000 + Int(getpid()) % 20_000 + Int.random(in: 0..<20_000)
  let ends = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
  let threads = (0..<count).map { rank in
    let thread = Thread {
      let end = Swift.Result {
        try body(try Processes(Processes.Place(rank: rank, count: count, port: port), seconds: 60))
      }
      ends.withLock { $0[rank] = end }
    }
    thread.stackSize = 8 << 20
    thread.start()
    return thread
  }
  while threads.contains(where: { !$0.isFinished }) { usleep(1000) }
  return try ends.withLock { ends in try ends.sorted { $0.key < $1.key }.map { try $0.value.get() } }
}
