import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual

/// Training that a method has of its own.
@Suite struct FitTests {
  private func fit(_ small: Small) throws {
    let learner = small.learner, experience = learner.stream.experiences[0]
    learner.begin(experience)
    try learner.fit(
      learner.parameters.all, to: learner.data(of: experience).train, of: experience, settings: small.trainer.settings,
      order: learner.generator.derived("order.0"))
  }

  @Test func movesAsTheTrainerDoes() throws {
    func small() throws -> Small {
      try Small(settings: {
        ($0.optimizer, $0.learningRate, $0.schedule, $0.warmup, $0.clipNorm) = (.sgd, 0.1, .cosine, 0.2, 0.5)
      }) { _ in [] }
    }
    let trained = try small(), fitted = try small()
    let start = fitted.learner.parameters.snapshot()
    var expected: [String: Tensor] = [:]
    trained.recorder.onEnd = { if $0.progress.experience == 1 { expected = $0.learner.parameters.snapshot() } }
    try trained.trainer.run()
    try fit(fitted)
    var moved = 0
    for (name, value) in fitted.learner.parameters.snapshot() {
      // Modes of training and evaluation may take different kernels.
      #expect(difference(value, try #require(expected[name]), atol: 1e-5) == nil, "\(name)")
      if difference(value, try #require(start[name]), atol: 1e-4) != nil { moved += 1 }
    }
    #expect(moved > 10)
  }

  @Test func stopsWhereTheRunDoes() throws {
    struct Stop: Error {}
    let small = try Small { _ in [] }
    var asked = 0
    small.learner.pause = {
      asked += 1
      if asked == 3 { throw Stop() }
    }
    #expect(throws: Stop.self) { try fit(small) }
    #expect(asked == 3)
  }

  @Test func aBrokenGradientMovesNothing() throws {
    let small = try Small { _ in [] }
    let words = try #require(small.learner.parameters["embeddings.word_embeddings.weight"])
    words.assign(words.master * Double.nan)
    let before = small.weights.filter { $0.key != words.name }
    let error = #expect(throws: TrainingError.self) { try fit(small) }
    guard case .nonFiniteGradient("task 0", 0, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(small.weights.filter { $0.key != words.name } == before)
    #expect(small.learner.parameters.all.allSatisfy { $0.gradient == nil })
  }

  @Test func anInterruptSaysThatWorkIsDoneAgain() {
    #expect(
      "\(TrainingError.interruptedUnsaved(resume: "jay run"))"
        == "interrupted; what came after the last checkpoint will be done again. Go on with: jay run")
  }
}
