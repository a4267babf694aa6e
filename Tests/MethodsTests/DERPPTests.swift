import Foundation
import Models
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Continual
@testable import Methods

@Suite struct DERPPTests {
  private static let models = ["bert-tiny", "t5-tied", "llama-grouped", "roberta-tiny"]

  private func model(_ name: String) throws -> any TaskModel {
    switch name {
    case "bert-tiny": return try Trace.model()
    case "roberta-tiny":
      let loaded = try ModelIndex.loadMasked(Golden.url(name), dtype: .float32, device: .cpu, seed: 0)
      return MaskedPredictor(loaded.model, parameters: loaded.parameters)
    default: return try PromptToy.model(name)
    }
  }

  private func toy(
    _ name: String, size: Int = 200, outputs: Double, labels: Double,
    settings: @escaping (inout TrainingSettings) -> Void = { _ in }
  ) throws -> (Toy, DERPP) {
    let configuration = configured(DERPP.Configuration.self) {
      ($0.size, $0.outputs, $0.labels) = (size, outputs, labels)
    }
    var made: DERPP?
    let toy = try Toy(
      try model(name), train: (0..<2).map { name == "bert-tiny" ? Toy.examples($0, seed: 3) : PromptToy.examples($0) },
      objective: name == "roberta-tiny" ? MaskedTokens(mask: 4, special: [1, 2, 3], vocabularySize: 60) : nil,
      settings: settings
    ) {
      let method = DERPP(configuration, learner: $0)
      made = method
      return [method]
    }
    return (toy, try #require(made))
  }

  /// What the model gives for one example, as the method stores it.
  private func output(_ example: TokenizedExample, _ learner: Learner) throws -> Tensor {
    let batch = learner.deviceBatch(Batch([example]))
    return try withoutGradient {
      if learner.objective != nil {
        return try #require(learner.model as? any PredictsTokens).labelStates(batch, .evaluation)
      }
      if let model = learner.model as? any PredictsTokens { return model.labelScores(batch, .evaluation) }
      let model = learner.classifier, features = model.features(batch, .evaluation)
      return .concatenated(model.heads.blocks.map { $0.linear(features, .evaluation) }, 1)
    }
  }

  @Test(arguments: models) func outputsAreStoredAsTheyAreRightAfterTheUpdate(_ name: String) throws {
    let (toy, method) = try toy(name, outputs: 0.5, labels: 0.5)
    var known = 0
    toy.recorder.onUpdate = { trainer, _ in
      let examples = try #require(method.state.exemplars["buffer"])
      #expect(examples.count == min(known + 4, 200))
      for place in known..<examples.count {
        let stored = try #require(method.state["outputs"]["\(place)"])
        let expected = try self.output(examples[place], trainer.learner)
        #expect((stored.reshaped(-1) - expected.reshaped(-1)).abs().max(0).item() < 1e-5)
      }
      known = examples.count
    }
    try toy.trainer.run()
    #expect(known == 32)
    if name == "roberta-tiny" {
      // With what was hidden of them.
      let examples = try #require(method.state.exemplars["buffer"])
      let texts = Dictionary(
        uniqueKeysWithValues: (0..<2).flatMap { PromptToy.examples($0) }.map { ($0.id, $0.tokens) })
      for example in examples {
        let tokens = try #require(texts[example.id])
        #expect(!example.answer.isEmpty && example.answer == example.places.map { tokens[Int($0)] })
      }
      #expect(examples.contains { $0.tokens != texts[$0.id] })
    }
  }

  @Test(arguments: models) func theLossIsAsTheEquationSays(_ name: String) throws {
    // One stored example: both draws are certain.
    let (toy, method) = try toy(name, size: 1, outputs: 0.3, labels: 0.7, settings: { $0.maxUpdates = 2 })
    try toy.trainer.run()
    let learner = toy.learner, stored = try #require(method.state["outputs"]["0"])
    for parameter in learner.parameters.all { parameter.assign(parameter.master * 1.05) }
    let example = try #require(method.state.exemplars["buffer"]).first
    let batch = learner.deviceBatch(Batch([try #require(example)]))
    let old = stored.values(), new = try output(try #require(example), learner).values()
    let loss = withoutGradient { learner.model(batch, .evaluation).loss.item() }
    let squares = zip(old, new).reduce(0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    let step = Step(index: 0, total: 4, experience: learner.stream.experiences[1], learner: learner)
    let penalty = try #require(method.penalty(learner.model(batch, .evaluation), batch, at: step))
    #expect(old.count == new.count && squares > 0)
    let expected = 0.3 * squares / Double(old.count) + 0.7 * loss
    #expect(abs(penalty.item() - expected) < 1e-4 * expected, "\(penalty.item()) \(expected)")
    penalty.backward()
    #expect(learner.parameters.all.contains { ($0.gradient?.abs().sum().item() ?? 0) > 0 })
  }

  @Test func withoutWeightsItIsFineTuning() throws {
    let (toy, method) = try toy("bert-tiny", outputs: 0, labels: 0)
    let plain = try Toy(try model("bert-tiny"), train: (0..<2).map { Toy.examples($0, seed: 3) }) { _ in [] }
    try toy.trainer.run()
    try plain.trainer.run()
    #expect(toy.recorder.losses == plain.recorder.losses)
    #expect(method.state.exemplars["buffer"]?.count == 32)
  }

  @Test func storedOutputsHoldTheModel() throws {
    let moved = try [0.0, 50].map { weight in
      let (toy, method) = try toy("bert-tiny", outputs: weight, labels: 0)
      try toy.trainer.run()
      let examples = try #require(method.state.exemplars["buffer"])
      let old = try examples.indices.map { try #require(method.state["outputs"]["\($0)"]) }
      return DERPP.distance(try examples.map { try output($0, toy.learner).at(0, 0) }, old).item()
    }
    #expect(moved[1] < 0.5 * moved[0], "\(moved)")
  }

  @Test func aSmallBufferKeepsOutputsWithTheirExamples() throws {
    let (toy, method) = try toy("bert-tiny", size: 5, outputs: 0, labels: 0)
    var expected: [String: [Float]] = [:]
    toy.recorder.onUpdate = { trainer, _ in
      for (place, example) in (method.state.exemplars["buffer"] ?? []).enumerated() {
        let stored = try #require(method.state["outputs"]["\(place)"]).values()
        let now = try self.output(example, trainer.learner).values()
        // Either of now, or what stood there before with the same example.
        if zip(stored, now).contains(where: { abs($0 - $1) > 1e-4 }) {
          #expect(expected["\(place).\(example.id)"] == stored)
        }
        expected["\(place).\(example.id)"] = stored
      }
    }
    try toy.trainer.run()
    #expect(method.state.exemplars["buffer"]?.count == 5 && method.state["outputs"].count == 5)
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingChanges { DERPP(.init(), learner: $0) } == [])
  }
}
