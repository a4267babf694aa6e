import Adapters
import Foundation
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

@Suite struct DEMIXTests {
  private func demix(_ learner: Learner) -> DEMIX {
    DEMIX(configured { ($0.width, $0.examples) = (4, 8) }, learner: learner)
  }

  /// Three experiences of texts to pretrain an encoder on: the last one has the words of experience `like`.
  private func toy(like: Int) throws -> (Toy, DEMIX) {
    let loaded = try ModelIndex.loadMasked(Golden.url("roberta-tiny"), dtype: .float32, device: .cpu, seed: 0)
    let words = [[5, 6, 7, 8, 9, 10], [20, 21, 22, 23, 24, 25]]
    let texts = [0, 1, like].enumerated().map { place, source in
      (0..<16).map { index in
        let tokens = (0..<8).map { Int32(words[source][($0 + index) % 6]) }
        return TokenizedExample(
          id: "\(place).\(index)", tokens: tokens, firstLength: 8, target: -1, experience: place)
      }
    }
    var made: DEMIX?
    let toy = try Toy(
      MaskedPredictor(loaded.model, parameters: loaded.parameters), train: texts,
      objective: MaskedTokens(mask: 4, special: [1, 2, 3], vocabularySize: 60, share: 0.4),
      settings: { ($0.epochs, $0.learningRate) = (5, 0.05) }
    ) {
      let method = self.demix($0)
      made = method
      return [method]
    }
    return (toy, try #require(made))
  }

  @Test(arguments: [0, 1]) func anExpertBeginsAsTheOneThatReadsItsDomainBest(_ nearest: Int) throws {
    let (toy, method) = try toy(like: nearest)
    var begun: [[Float]] = []
    toy.recorder.onBegin = { _ in
      begun.append(
        toy.parameters.snapshot { $0.role == .adapter && $0.name.contains("adapter.2.") }
          .sorted { $0.key < $1.key }.flatMap { $0.value.values() })
    }
    try toy.trainer.run()
    #expect(method.state.numbers["from.1"] == 0 && method.state.numbers["from.2"] == Double(nearest))
    let earlier = toy.parameters.snapshot { $0.role == .adapter && $0.name.contains("adapter.\(nearest).") }
      .sorted { $0.key < $1.key }.flatMap { $0.value.values() }
    #expect(!earlier.isEmpty && begun[2] == earlier, "the copy, and the earlier expert stays as it was")
  }

  @Test func laterExperiencesLeavePredictionsAsTheyWere() throws {
    let run = try ToyRun(settings: { $0.learningRate = 0.01 }) { [self.demix($0)] }
    let method = run.trainer.methods[0]
    func logits() throws -> [Float] {
      try method.predicting(0, learner: run.learner) { run.logits(0).values() }
    }
    var before: [Float] = []
    run.recorder.onEnd = { if $0.progress.experience == 1 { before = try logits() } }
    try run.trainer.run()
    #expect(try logits() == before && !before.isEmpty)
    // The newest expert is another.
    #expect(run.logits(0).values() != before)
    let backbone = run.learner.parameters.snapshot { $0.role == .backbone }
    let start = try Trace.model().parameters.snapshot { $0.role == .backbone }
    #expect(areSame(backbone, start))
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingChanges { self.demix($0) } == [])
  }
}
