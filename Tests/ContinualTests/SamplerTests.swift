import Streams
import Testing
import Torch

@testable import Continual

@Suite struct SamplerTests {
  private func sampler(
    _ count: Int, epochs: Int = 3, seed: UInt64 = 0, settings change: (inout TrainingSettings) -> Void = { _ in }
  ) -> Sampler {
    let examples = (0..<count).map {
      TokenizedExample(id: "\($0)", tokens: [1], firstLength: 1, target: 0, experience: 0)
    }
    var settings = TrainingSettings()
    settings.batchSize = 4
    change(&settings)
    let plan = TrainingPlan(examples: examples, epochs: epochs)
    return Sampler(plan, settings: settings, generator: Generator(seed: seed))
  }

  @Test func everyEpochHoldsEveryExampleOnce() {
    var sampler = sampler(10)
    #expect(sampler.updates == 9 && sampler.updatesPerEpoch == 3)
    let epochs = (0..<3).map { epoch in
      (0..<3).flatMap { sampler.batch(epoch * 3 + $0).examples.map(\.id) }
    }
    for epoch in epochs { #expect(Set(epoch).count == 10) }
    #expect(Set(epochs).count == 3)
    #expect(sampler.batch(2).rows == 2)
  }

  @Test func anyUpdateIsFoundWithoutTheEarlierOnes() {
    var whole = sampler(10)
    let batches = (0..<9).map { whole.batch($0).examples }
    for update in (0..<9).reversed() {
      var fresh = sampler(10)
      #expect(fresh.batch(update).examples == batches[update])
    }
  }

  @Test func theOrderIsKeptWithoutShuffling() {
    var sampler = sampler(5) { $0.shuffle = false }
    #expect(sampler.batch(2).examples.map(\.id) == ["0", "1", "2", "3"])
    #expect(sampler.batch(3).examples.map(\.id) == ["4"])
  }

  @Test func theLimitAndEmptyDataEndIt() {
    #expect(sampler(10, settings: { $0.maxUpdates = 4 }).updates == 4)
    #expect(sampler(10, settings: { $0.maxUpdates = 40 }).updates == 9)
    #expect(sampler(0).updates == 0)
    #expect(sampler(10, epochs: 0).updates == 0)
  }

  @Test func aWindowIsSplitIntoNearlyEqualParts() {
    var sampler = sampler(11) { ($0.batchSize, $0.accumulation) = (4, 2) }
    #expect(sampler.batch(0).split(into: 2).map(\.rows) == [4, 4])
    #expect(sampler.batch(1).split(into: 2).map(\.rows) == [2, 1])
    #expect(Batch([]).split(into: 1).isEmpty && Batch([]).split(into: 2).isEmpty)
  }
}
