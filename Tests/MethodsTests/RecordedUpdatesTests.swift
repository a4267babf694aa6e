import Continual
import Methods
import NN
import Testing
import Torch

/// Updates that a device recorded, against the same updates asked for one by one.
@Suite(.enabled(if: RecordingTests.isExpected)) struct RecordedUpdatesTests {
  /// Eight updates of the second experience with two forms of batch and another rate each: the first of a form runs as ever,
  /// the others are replayed. They end where they would if none was, and wait no more than that the two are recorded.
  private static func checkRecorded(
    _ golden: String, dtype: DType = .float32, objective: (any Objective)? = nil,
    methods: (Learner) throws -> [any ContinualMethod]
  ) throws {
    RecordingTests.begin()
    func end(recorded: Int) throws -> AcceleratorToy.End {
      try AcceleratorToy.train(
        golden, on: .custom, dtype: dtype, updates: 8, of: 1, recorded: recorded, objective: objective,
        length: { [8 << ($0 / 4 % 2), 3, 5, 4][$0 % 4] }
      ) {
        ($0.recordsUpdates, $0.schedule, $0.shuffle) = (true, .linear, false)
      } methods: {
        try methods($0)
      }
    }
    let replayed = try end(recorded: 256), plain = try end(recorded: 0)
    precondition(plain.replays == 0)
    precondition(replayed.replays == 6, "\(replayed.replays) replays")
    precondition(replayed.waits == 2, "waited \(replayed.waits) times")
    precondition(!plain.weights.isEmpty)
    for (name, values) in plain.weights {
      let gap = zip(values, replayed.weights[name] ?? []).map { abs($0 - $1) }.max() ?? 1
      precondition(gap < 1e-6, "\(name) is \(gap) away")
    }
  }

  @Test func recordedUpdatesAreUpdates() async {
    await #expect(processExitsWith: .success) {
      for golden in ["bert-tiny", "llama-grouped", "t5-tied"] {
        try Self.checkRecorded(golden) { [AcceleratorToy.migu($0)] }
      }
      try Self.checkRecorded("bert-tiny") { [AcceleratorToy.migu($0) { $0.lazy = true }] }
      try Self.checkRecorded("bert-tiny", dtype: .bfloat16) { [AcceleratorToy.migu($0)] }
      try Self.checkRecorded("llama-grouped", objective: NextToken(end: nil)) { [AcceleratorToy.migu($0)] }
    }
  }

  /// All that say so.
  @Test func methodsThatCanBeRecorded() async {
    await #expect(processExitsWith: .success) {
      RecordingTests.begin()
      var names: [String] = []
      for type in methodTypes {
        let learner = try AcceleratorToy.trainer("bert-tiny", on: .custom) { _ in [] }.learner
        guard try AcceleratorToy.make(type, learner).isRecordable else { continue }
        names.append(type.card.name)
        try Self.checkRecorded("bert-tiny") { [try AcceleratorToy.make(type, $0)] }
      }
      precondition(names.count == 14, "\(names)")
      for kind in SequentialAdapter.Kind.allCases {
        for golden in ["bert-tiny", "llama-grouped", "t5-tied"] {
          try Self.checkRecorded(golden) { [try SequentialAdapter(configured { $0.kind = kind }, learner: $0)] }
        }
      }
    }
  }
}
