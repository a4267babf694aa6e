import Continual
import Foundation
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Methods

@Suite struct TreeLoRATests {
  private func configuration(_ change: (inout TreeLoRA.Configuration) -> Void = { _ in }) -> TreeLoRA.Configuration {
    configured {
      ($0.rank, $0.alpha, $0.dropout) = (4, 8, 0)
      change(&$0)
    }
  }

  private func toy(_ method: (Learner) -> any ContinualMethod) throws -> Toy {
    try Toy(try Trace.model(), train: (0..<3).map { Toy.examples($0, seed: UInt64($0)) }) { [method($0)] }
  }

  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try LoRATrace("tree-lora") { TreeLoRA(configuration(), learner: $0) }
    #expect(try trace.disagreements() == [])
  }

  @Test(arguments: TreeLoRA.Signature.allCases)
  func withoutStrengthIsIncLoRAToTheBit(_ signature: TreeLoRA.Signature) throws {
    let tree = try toy { TreeLoRA(configuration { ($0.strength, $0.signature) = (0, signature) }, learner: $0) }
    let incremental = try toy { IncLoRA(goldenLoRA, learner: $0) }
    try tree.trainer.run()
    try incremental.trainer.run()
    #expect(tree.recorder.losses == incremental.recorder.losses)
    #expect(areSame(tree.parameters.snapshot(), incremental.parameters.snapshot()))
  }

  @Test func aSignatureOfValuesIsTheMeanOfTheFactorsOverTheUpdates() throws {
    let toy = try toy { TreeLoRA(configuration { $0.signature = .values }, learner: $0) }
    let name = "encoder.layer.0.attention.self.query.lora.0.a"
    var values: [[Float]] = []
    toy.recorder.onBegin = { index in if index == 0 { values.append(toy.parameters[name]?.master.values() ?? []) } }
    toy.recorder.onUpdate = { trainer, _ in
      guard trainer.progress.experience == 0, trainer.progress.step < 4 else { return }
      values.append(trainer.learner.parameters[name]?.master.values() ?? [])
    }
    try toy.trainer.run()
    let found = try #require(toy.trainer.methods[0].state["signature.0"]["0"]).values()
    #expect(values.count == 4 && found.count == 128)
    for (place, value) in found.enumerated() {
      let mean = values.reduce(0) { $0 + Double($1[place]) } / 4
      #expect(abs(Double(value) - mean) < 1e-6)
    }
  }

  @Test func theLossOfValuesFallsByAShareThatGrowsWithTheUpdates() throws {
    let tree = try toy { TreeLoRA(configuration { ($0.signature, $0.strength) = (.values, 0.5) }, learner: $0) }
    let plain = try toy { TreeLoRA(configuration { ($0.signature, $0.strength) = (.values, 0) }, learner: $0) }
    try tree.trainer.run()
    try plain.trainer.run()
    let (with, without) = (tree.recorder.losses, plain.recorder.losses)
    // The first update with a pull is the second of the second experience: ±0.5 · 1/4 of its loss.
    #expect(Array(with[..<5]) == Array(without[..<5]))
    #expect(abs(abs(with[5] / without[5] - 1) - 0.125) < 1e-3)
  }

  @Test func experiencesAreDividedAtTheMedianOfTheirLikenessToTheMean() {
    // Layer 0: mean (0.5, 0.35); cosines with it 0.819, 0.983, 0.573. Layer 1 divides the first two.
    let tree = TaskTree([[[1, 0], [1, 0]], [[0.8, 0.6], [0, 1]], [[0, 1], [1, 0]]])
    #expect(tree.experiences == [0, 1, 2])
    #expect(tree.children.count == 2)
    let mean = [1.8 / 3, 1.6 / 3], length = (mean[0] * mean[0] + mean[1] * mean[1]).squareRoot()
    let cosines = [mean[0], 0.8 * mean[0] + 0.6 * mean[1], mean[1]].map { $0 / length }
    #expect(abs((tree.median ?? 0) - cosines.sorted()[1]) < 1e-6)
    let first = cosines.indices.filter { cosines[$0] >= cosines.sorted()[1] }
    #expect(tree.children.map(\.experiences) == [first, [0, 1, 2].filter { !first.contains($0) }])
    #expect(tree.children[1].children.isEmpty && tree.children[1].median == nil)
    #expect(tree.children[0].children.count == 2)
  }

  @Test func likeExperiencesAreHalved() {
    let tree = TaskTree([[[1, 0]], [[1, 0]], [[1, 0]]])
    #expect(tree.children.map(\.experiences) == [[0], [1, 2]])
    #expect(tree.prior(of: 2)?.experiences == [1, 2] && tree.prior(of: 0)?.factor == 1.5)
    #expect(TaskTree([[[1, 0]]]).prior(of: 0) == nil)
  }

  @Test func scoresAreTheLowerConfidenceBoundsOfTheDistances() {
    var bandit = TaskBandit(experiences: 2, layers: 2)
    bandit.learn([0, 1], distances: [0.5, 0.25])
    bandit.learn([0, 0], distances: [0.7, 0.1])
    let confidence = log(240.0).squareRoot()
    let bound = { (count: Double, mean: Double) in confidence / (2 * count + 1e-5).squareRoot() - mean }
    let expected = [bound(2, 0.6), bound(1, 0.1), bound(0, 0), bound(1, 0.25)]
    let least = expected.min() ?? 0
    for (found, value) in zip(bandit.scores(step: 2, total: 10), expected) {
      #expect(abs(found - (value - least)) < 1e-5)
    }
    #expect(TaskBandit(bandit.tensors, experiences: 2, layers: 2) == bandit)
  }

  @Test func theNearestExperienceIsChosenMostOften() {
    var bandit = TaskBandit(experiences: 3, layers: 1)
    let tree = TaskTree([[[1, 0]], [[0, 1]], [[0.8, 0.6]]])
    var random = Generator(seed: 4)
    let distances: [Float] = [0.9, 0.05, 0.9]
    for step in 0..<300 {
      let choice = bandit.choose(tree, step: step, total: 300, using: &random)
      bandit.learn(choice, distances: [distances[choice[0]]])
    }
    #expect(bandit.counts.reduce(0, +) == 300)
    #expect(bandit.counts[1] > bandit.counts[0] && bandit.counts[1] > bandit.counts[2])
  }

  @Test func distancesAreThoseOfNormalisedSignatures() {
    let x = Tensor([1, -1, 2] as [Float]), y = Tensor([10, 10, 0] as [Float])
    #expect(abs(TreeLoRA.distance(x, y).item() - 0.75) < 1e-6)
    #expect(TreeLoRA.distance(x, x * 7).item() < 1e-6)
  }

  @Test(arguments: TreeLoRA.Signature.allCases)
  func resumesToTheSameBits(_ signature: TreeLoRA.Signature) throws {
    #expect(
      try resumingDifferences {
        [TreeLoRA(configured { $0.signature = signature }, learner: $0), MIGU(.init(), learner: $0)]
      } == [])
  }
}
