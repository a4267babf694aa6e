import Methods
import Streams
import Testing
import Torch

@testable import Continual
@testable import TestSupport

/// Replays what the golden names: row i of `replay` at update i of the second experience.
private final class GivenReplay: ContinualMethod {
  static let card = FineTune.card
  var state = MethodState()
  private let rows: [Int64]
  private let past: [TokenizedExample]

  init(_ configuration: NoConfiguration, learner: Learner) throws {
    let inputs = try Golden.load("methods/inputs.safetensors")
    guard let replay = inputs["replay"] else { throw GoldenError.missing("replay") }
    rows = replay.scalars()
    past = learner.data(of: learner.stream.experiences[0]).train
  }

  func compose(_ batch: Batch, at step: Step) -> Batch {
    guard step.experience.index == 1 else { return batch }
    return Batch(batch.examples + rows[4 * step.index..<4 * step.index + 4].map { past[Int($0)] })
  }
}

/// Writes down the batches that reach it.
private final class Batches: ContinualMethod {
  static let card = FineTune.card
  var state = MethodState()
  private(set) var ids: [[String]] = []

  init(_ configuration: NoConfiguration, learner: Learner) {}

  func compose(_ batch: Batch, at step: Step) -> Batch {
    ids.append(batch.examples.map(\.id))
    return batch
  }
}

@Suite struct ReplayTests {
  @Test func aJoinedBatchTrainsAsTheReferenceDoes() throws {
    let trace = try Trace { [try GivenReplay(.init(), learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "er") == [])
  }

  @Test func experienceReplayNeverReplaysTheBatchItself() throws {
    var batches: Batches?
    let run = try ToyRun { learner in
      let listener = Batches(.init(), learner: learner)
      batches = listener
      return [ER(.init(), learner: learner), listener]
    }
    try run.trainer.run()
    let ids = try #require(batches).ids
    #expect(ids.map(\.count) == [4, 8, 8, 8, 8, 8, 8, 8])
    for (index, batch) in ids.enumerated() {
      let before = Set(ids[..<index].flatMap { $0.prefix(4) })
      #expect(batch.dropFirst(4).allSatisfy(before.contains))
      #expect(Set(batch).count == batch.count)
    }
    #expect(run.trainer.methods[0].state.exemplars["buffer"]?.count == 32)
  }

  @Test func replayMixesAShareOfTheFirstExperienceIntoTheSecond() throws {
    var configuration = Replay.Configuration()
    configuration.ratio = 0.25
    var batches: Batches?
    let run = try ToyRun(settings: { $0.shuffle = true }) { learner in
      let listener = Batches(.init(), learner: learner)
      batches = listener
      return [Replay(configuration, learner: learner), listener]
    }
    try run.trainer.run()
    let ids = try #require(batches).ids
    #expect(ids.map(\.count) == [4, 4, 4, 4, 4, 4, 4, 4, 4])
    let second = ids[4...].flatMap { $0 }
    #expect(Set(second).count == 20)
    #expect(second.filter { $0.hasPrefix("0.") }.count == 4)
    #expect(run.trainer.methods[0].state.exemplars["buffer"]?.count == 8)
  }

  @Test(arguments: ER.Policy.allCases)
  func experienceReplayResumesToTheSameBits(_ policy: ER.Policy) throws {
    var configuration = ER.Configuration()
    (configuration.size, configuration.policy) = (6, policy)
    #expect(try resumingChanges { ER(configuration, learner: $0) } == [])
  }

  @Test func replayResumesToTheSameBits() throws {
    #expect(try resumingChanges { Replay(.init(), learner: $0) } == [])
  }
}
