import Continual
import Methods
import NN
import TestSupport
import Testing
import Torch

@Suite struct IncLoRATests {
  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try Trace { [IncLoRA(goldenLoRA, learner: $0)] }
    try trace.trainer.run()
    #expect(try trace.disagreements(with: "inc-lora") == [])
  }

  @Test func aNewAdapterLeavesTheFeaturesAsTheyWere() throws {
    let data = (0..<3).map { Toy.examples($0, seed: UInt64($0)) }
    var ends: [[Float]] = [], starts: [[Float]] = []
    var measure: () throws -> [Float] = { [] }
    let toy = try Toy(try Trace.model(), train: data) { learner in
      [IncLoRA(goldenLoRA, learner: learner), Watcher(learner) { _ in ends.append(try measure()) }]
    }
    measure = { try toy.features(data[0]).values() }
    toy.recorder.onBegin = { _ in starts.append((try? measure()) ?? []) }
    try toy.trainer.run()
    #expect(starts.count == 3 && ends.count == 3)
    #expect(starts[1] == ends[0] && starts[2] == ends[1])
    #expect(ends[1] != ends[0])
  }

  @Test func earlierAdaptersAreFrozenToTheBit() throws {
    let toy = try Toy(try Trace.model(), train: (0..<3).map { Toy.examples($0, seed: UInt64($0)) }) {
      [IncLoRA(goldenLoRA, learner: $0)]
    }
    var starts: [[String: Tensor]] = []
    toy.recorder.onBegin = { _ in starts.append(toy.parameters.snapshot { $0.role == .adapter }) }
    try toy.trainer.run()
    let final = toy.parameters.snapshot { $0.role == .adapter }
    for index in 0..<2 {
      let earlier = starts[index + 1].filter { $0.key.contains(".lora.\(index).") }
      #expect(earlier.count == 8)
      #expect(areSame(earlier, final.filter { earlier.keys.contains($0.key) }))
      #expect(!areSame(starts[index].filter { earlier.keys.contains($0.key) }, earlier))
    }
  }
}
