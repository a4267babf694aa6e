import Adapters
import Foundation
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

@Suite struct SAPTLoRATests {
  private func configuration(_ change: (inout SAPTLoRA.Configuration) -> Void = { _ in }) -> SAPTLoRA.Configuration {
    configured {
      ($0.rank, $0.alpha, $0.queryWidth) = (4, 8, 10)
      ($0.pseudoRatio, $0.pseudoRows) = (1, 16)
      change(&$0)
    }
  }

  private func toy(_ change: (inout SAPTLoRA.Configuration) -> Void = { _ in }) throws -> (Toy, SAPTLoRA) {
    var method: SAPTLoRA?
    let toy = try Toy(try Trace.model(), train: (0..<3).map { Toy.examples($0, seed: UInt64($0)) }) { learner in
      let made = SAPTLoRA(configuration(change), learner: learner)
      method = made
      return [made]
    }
    return (toy, try #require(method))
  }

  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try LoRATrace("sapt-lora") { SAPTLoRA(configuration(), learner: $0) }
    #expect(try trace.disagreements() == [])
  }

  @Test func theWeightsOfAnInputSumToOne() throws {
    let (toy, method) = try toy()
    try toy.trainer.run()
    let batch = toy.learner.deviceBatch(Batch(Toy.examples(1, seed: 9)))
    let weights = try withoutGradient { try #require(method.attention).weights(batch, toy.learner) }
    #expect(weights.shape == [8, 3])
    #expect(weights.sum(1).values().allSatisfy { abs($0 - 1) < 1e-6 })
    // A key is far from zero at its start, so that inputs are told apart.
    #expect(Set(weights.values()).count > 8)
  }

  @Test func paddingAndAnswersAreNotAskedAbout() throws {
    let (toy, method) = try toy()
    try toy.trainer.run()
    let short = Toy.examples(0, count: 1, seed: 3, length: 4), long = Toy.examples(0, count: 1, seed: 4, length: 9)
    let attention = try #require(method.attention)
    func weights(_ examples: [TokenizedExample]) -> [Float] {
      withoutGradient { attention.weights(toy.learner.deviceBatch(Batch(examples)), toy.learner) }.values()
    }
    let alone = weights(short), together = weights(short + long)
    #expect(zip(alone, together).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func earlierKeysAndAdaptersAreFrozenToTheBit() throws {
    let (toy, _) = try toy()
    var starts: [[String: Tensor]] = []
    toy.recorder.onBegin = { _ in starts.append(toy.parameters.snapshot { $0.role == .adapter }) }
    try toy.trainer.run()
    let final = toy.parameters.snapshot { $0.role == .adapter }
    for index in 0..<2 {
      let earlier = starts[index + 1].filter { $0.key.contains(".lora.\(index).") || $0.key == "sapt.key.\(index)" }
      #expect(earlier.count == 9)
      #expect(areSame(earlier, final.filter { earlier.keys.contains($0.key) }))
    }
    #expect(
      !areSame(starts[1].filter { $0.key.hasPrefix("sapt.down") }, final.filter { $0.key.hasPrefix("sapt.down") }))
  }

  @Test func theOutputIsTheWeightedSumOfTheAdapters() throws {
    let (toy, method) = try toy()
    try toy.trainer.run()
    var batch = toy.learner.deviceBatch(Batch(Toy.examples(2, count: 4, seed: 5)))
    method.willForward(&batch, learner: toy.learner)
    let mixture = try #require(method.mixtures.first), weights = try #require(method.weights)
    var random = Generator(seed: 2)
    let x = Tensor.normal([4, 6, 32], &random), y = Tensor.normal([4, 6, 32], &random)
    withoutGradient {
      var expected = y
      for (index, lora) in mixture.loras.enumerated() {
        let update = x.matmul(lora.product.t)
        expected = expected + update * weights.narrowed(1, index..<index + 1).unsqueezed(2)
      }
      #expect(difference(mixture(x, y, .evaluation), expected, atol: 1e-6) == nil)
    }
    toy.learner.parameters.clearGradients()
  }

  @Test func partsOfABatchAreWeighedEachByItsOwnTexts() throws {
    let losses = try [(4, 1), (2, 2)].map { rows, parts -> [Double] in
      let toy = try Toy(
        try Trace.model(), train: (0..<2).map { Toy.examples($0, seed: UInt64($0)) },
        settings: { ($0.batchSize, $0.accumulation) = (rows, parts) }
      ) { [SAPTLoRA(configuration(), learner: $0)] }
      try toy.trainer.run()
      return toy.recorder.losses
    }
    #expect(losses[0].count == 8)
    #expect(zip(losses[0], losses[1]).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func miguMasksTheRowsOfTheNewestAdapter() throws {
    let toy = try Toy(
      try Trace.model(), train: (0..<2).map { Toy.examples($0, seed: UInt64($0)) }, settings: { $0.maxUpdates = 2 }
    ) { [SAPTLoRA(configuration(), learner: $0), MIGU(.init(), learner: $0)] }
    let name = "encoder.layer.0.attention.self.query.lora.1.a"
    var start: Tensor?
    toy.recorder.onBegin = { _ in start = toy.parameters[name]?.master.clone() }
    try toy.trainer.run()
    let end = try #require(toy.parameters[name]).master
    // A fresh B holds A still in the first update; of A's four rows the second masks the three below the quantile.
    #expect(changedRows(try #require(start), end).count == 1)
  }

  @Test func withoutPseudoSamplesNothingIsStored() throws {
    let (toy, method) = try toy { $0.pseudo = .none }
    try toy.trainer.run()
    #expect(method.state.byteCount == 0)
    let (kept, method2) = try self.toy()
    try kept.trainer.run()
    #expect(method2.state.exemplars["pseudo.0"]?.count == 8 && method2.state["attention"]["2"]?.shape == [3])
  }

  @Test func theDivergenceIsThatOfTheDefinition() {
    let recorded: [Double] = [0.75, 0.25], scores: [[Double]] = [[1, 0, 2], [0.5, 0.5, -1]]
    let expected =
      scores.map { row -> Double in
        let sum = row.reduce(0) { $0 + exp($1) }
        return zip(recorded, row).reduce(0) { $0 + $1.0 * (log($1.0) - log(exp($1.1) / sum)) }
      }.reduce(0, +) / 2
    let found = SAPTLoRA.divergence(
      recorded: Tensor(recorded.map(Float.init)),
      scores: Tensor(scores.joined().map(Float.init), shape: [2, 3]))
    #expect(abs(found.item() - expected) < 1e-6)
  }

  @Test func aModelWithoutKnownEmbeddingsIsNamed() throws {
    let toy = try Toy(WideModel(), train: [Toy.examples(0, seed: 0)]) {
      [SAPTLoRA(configuration { $0.targets = ["wide"] }, learner: $0)]
    }
    #expect(throws: SAPTLoRAError.noEmbeddings) { try toy.trainer.run() }
    #expect(
      SAPTLoRAError.noEmbeddings.description
        == "sapt-lora reads the word embeddings, and the model has no word_embeddings, shared or embed_tokens. "
        + "Use a model of the BERT, T5 or Llama family.")
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingDifferences { [SAPTLoRA(.init(), learner: $0), MIGU(.init(), learner: $0)] } == [])
  }
}
