import Foundation
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

/// LwF on models without heads: what is compared are the tokens that they must write.
@Suite struct LwFTextTests {
  private static let models = ["t5-tied", "llama-grouped", "roberta-tiny"]

  private func model(_ name: String) throws -> any PredictsTokens {
    if name == "roberta-tiny" {
      let loaded = try ModelIndex.loadMasked(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
      return MaskedPredictor(loaded.model, parameters: loaded.parameters)
    }
    guard let model = try PromptToy.model(name) as? any PredictsTokens else { throw GoldenError.missing(name) }
    return model
  }

  /// Texts with their answers; of an encoder the answers are hidden tokens, the text's first.
  private func examples(_ name: String, _ experience: Int) -> [TokenizedExample] {
    PromptToy.examples(experience).map { example in
      var example = example
      if name == "roberta-tiny" { example.places = example.answer.indices.map(Int32.init) }
      return example
    }
  }

  private func toy(_ name: String, strength: Double, temperature: Double = 2) throws -> Toy {
    let configuration = configured(LwF.Configuration.self) { ($0.strength, $0.temperature) = (strength, temperature) }
    return try Toy(try model(name), train: (0..<2).map { examples(name, $0) }) { [LwF(configuration, learner: $0)] }
  }

  /// KL(softmax(old/T) ‖ softmax(new/T)) in plain arithmetic, the mean over the rows.
  private func divergence(_ old: Tensor, _ new: Tensor, temperature: Double) -> Double {
    func logarithms(_ scores: Tensor, _ row: Int) -> [Double] {
      let scaled = scores.at(0, row).values().map { Double($0) / temperature }
      let total = log(scaled.reduce(0) { $0 + exp($1) })
      return scaled.map { $0 - total }
    }
    let rows = (0..<old.size(0)).map { row in
      zip(logarithms(old, row), logarithms(new, row)).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
    }
    return rows.reduce(0, +) / Double(rows.count)
  }

  @Test(arguments: models) func theTokensToWriteAreComparedWithTheEarlierModels(_ name: String) throws {
    let toy = try toy(name, strength: 0.5, temperature: 3)
    let learner = toy.learner, method = toy.trainer.methods[0], second = learner.stream.experiences[1]
    let model = try #require(learner.model as? any PredictsTokens)
    learner.begin(second)
    learner.apply(try method.plan(TrainingPlan(examples: [], epochs: 1), for: second, learner: learner))
    try method.willBegin(second, learner: learner)
    let batch = learner.deviceBatch(Batch(learner.data(of: second).train))
    let step = Step(index: 0, total: 4, experience: second, learner: learner)
    let output = model(batch, .evaluation), old = withoutGradient { model.labelScores(batch, .evaluation) }
    #expect(old.size(0) == learner.data(of: second).train.reduce(0) { $0 + $1.answer.count })
    #expect(abs(try #require(try method.penalty(output, batch, at: step)).item()) < 1e-6)
    for parameter in learner.parameters.all { parameter.assign(parameter.master * 1.1) }
    let new = withoutGradient { model.labelScores(batch, .evaluation) }
    let penalty = try #require(try method.penalty(output, batch, at: step))
    let expected = 0.5 * divergence(old, new, temperature: 3)
    #expect(expected > 1e-5 && abs(penalty.item() - expected) < 1e-4 * expected + 1e-7, "\(penalty.item()) \(expected)")
    penalty.backward()
    #expect(learner.parameters.trainable.contains { ($0.gradient?.abs().sum().item() ?? 0) > 0 })
  }

  @Test(arguments: ["t5-tied", "llama-grouped"]) func theEarlierAnswersAreHeldByStrength(_ name: String) throws {
    var moved: [Double] = [], starts: [[String: Tensor]] = [], ends: [[String: Tensor]] = []
    for strength in [0, 0.1, 20] {
      let toy = try toy(name, strength: strength)
      let model = try #require(toy.learner.model as? any PredictsTokens)
      let batch = toy.learner.deviceBatch(Batch(examples(name, 1)))
      var old: Tensor?
      toy.recorder.onBegin = { experience in
        guard experience == 1 else { return }
        old = withoutGradient { model.labelScores(batch, .evaluation) }
        starts.append(toy.parameters.snapshot())
      }
      try toy.trainer.run()
      let new = withoutGradient { model.labelScores(batch, .evaluation) }
      moved.append(divergence(try #require(old), new, temperature: 1))
      ends.append(toy.parameters.snapshot())
    }
    #expect(starts.count == 3 && starts.allSatisfy { areSame($0, starts[0]) }, "the first experience is fine-tuning")
    #expect(moved[2] < moved[1] && moved[1] < moved[0], "\(moved)")
    let plain = try Toy(try model(name), train: (0..<2).map { examples(name, $0) }) { _ in [] }
    try plain.trainer.run()
    #expect(areSame(plain.parameters.snapshot(), ends[0]))
  }
}
