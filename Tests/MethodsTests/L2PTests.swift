import Continual
import Methods
import NN
import Streams
import TestSupport
import Testing
import Torch

@Suite struct L2PTests {
  private func method(_ learner: Learner, strength: Double = 0.5) -> L2P {
    L2P(configured { ($0.pool, $0.length, $0.chosen, $0.strength) = (6, 2, 2, strength) }, learner: learner)
  }

  private func toy(_ name: String, strength: Double = 0.5, rate: Double = 0.1) throws -> Toy {
    try Toy(
      try PromptToy.model(name), train: (0..<2).map { PromptToy.examples($0) },
      settings: { ($0.learningRate, $0.epochs) = (rate, 8) }
    ) { [method($0, strength: strength)] }
  }

  @Test(arguments: ["t5-tied", "llama-grouped"]) func thePoolLearnsAndTheBackboneStays(_ name: String) throws {
    let toy = try toy(name)
    let before = toy.parameters.snapshot()
    try toy.trainer.run()
    let after = toy.parameters.snapshot { $0.role == .backbone }
    #expect(areSame(before, after))
    let losses = toy.recorder.losses
    let (first, last) = (losses[0] + losses[1], losses[14] + losses[15])
    #expect(last < first - 0.2, "\(losses)")
  }

  /// Keys move towards the texts that chose them; with no strength they do not move at all.
  @Test func theStrengthMovesTheKeys() throws {
    let drawn = try toy("t5-tied"), left = try toy("t5-tied", strength: 0)
    var start: Tensor?
    left.recorder.onBegin = { _ in start = start ?? left.parameters["pool.0.keys"]?.master.clone() }
    try drawn.trainer.run()
    try left.trainer.run()
    let keys = try #require(start)
    #expect(left.parameters["pool.0.keys"]?.master.values() == keys.values())
    #expect(drawn.parameters["pool.0.keys"]?.master.values() != keys.values())
    // The first losses differ by half the match, which is at most two cosines of 1.
    let added = left.recorder.losses[0] - drawn.recorder.losses[0]
    #expect(added > 0 && added <= 1)
  }

  /// Which prompts a text reads does not depend on the batch it comes in.
  @Test(arguments: ["t5-tied", "llama-grouped"]) func rowsChooseForThemselves(_ name: String) throws {
    let toy = try toy(name), method = try #require(toy.trainer.methods[0] as? L2P)
    try toy.trainer.run()
    let model = try #require(toy.learner.model as? any Generates)
    let together = try toy.scores(1, through: method)
    for (row, example) in toy.learner.data(of: toy.learner.stream.experiences[1]).train.enumerated() {
      let batch = toy.learner.deviceBatch(Batch([example]), withAnswers: false)
      let alone = inference { model.score(batch, answers: PromptToy.answers) }
      #expect(difference(alone.at(0, 0), together.at(0, row), atol: 2e-5) == nil)
    }
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingChanges { method($0) } == [])
  }
}
