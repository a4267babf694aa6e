import Continual
import Methods
import NN
import TestSupport
import Testing
import Torch

@Suite struct NLoRATests {
  private func configuration(_ lambda: Double, _ change: (inout NLoRA.Configuration) -> Void = { _ in })
    -> NLoRA.Configuration
  {
    configured {
      ($0.rank, $0.alpha, $0.dropout, $0.lambda) = (4, 8, 0, lambda)
      change(&$0)
    }
  }

  private func toy(_ method: (Learner) -> any ContinualMethod) throws -> Toy {
    try Toy(
      try Trace.model(), train: (0..<2).map { Toy.examples($0, seed: UInt64($0)) }, settings: { $0.epochs = 10 }
    ) { [method($0)] }
  }

  /// The products of the factors of an experience's adapters, in plain arithmetic, [outputs · inputs] each.
  private func updates(_ weights: [String: Tensor], experience: Int) -> [[Double]] {
    weights.keys.filter { $0.hasSuffix(".lora.\(experience).a") }.sorted().map { name in
      let a = weights[name]?.values() ?? [], b = weights[name.dropLast() + "b"]?.values() ?? []
      let rank = 4, inputs = a.count / rank
      return (0..<b.count / rank * inputs).map { place in
        (0..<rank).reduce(0.0) {
          $0 + Double(b[place / inputs * rank + $1]) * Double(a[$1 * inputs + place % inputs])
        }
      }
    }
  }

  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try LoRATrace("n-lora") { NLoRA(configuration(0.05), learner: $0) }
    #expect(try trace.disagreements() == [])
  }

  @Test func withoutStrengthIsIncLoRAToTheBit() throws {
    let sparse = try toy { NLoRA(configuration(0), learner: $0) }
    let incremental = try toy { IncLoRA(goldenLoRA, learner: $0) }
    try sparse.trainer.run()
    try incremental.trainer.run()
    #expect(sparse.recorder.losses == incremental.recorder.losses)
    #expect(areSame(sparse.parameters.snapshot(), incremental.parameters.snapshot()))
  }

  @Test func aGrowingStrengthMakesTheUpdateSparser() throws {
    let magnitudes = try [0, 0.01, 0.1].map { lambda in
      let toy = try toy { NLoRA(configuration(lambda), learner: $0) }
      try toy.trainer.run()
      return updates(toy.parameters.snapshot(), experience: 1).joined().map(abs)
    }
    let sums = magnitudes.map { $0.reduce(0, +) }
    let small = magnitudes.map { values in values.count { $0 < 1e-3 } }
    #expect(sums[0] > 1.2 * sums[1] && sums[1] > 1.2 * sums[2])
    #expect(small[0] < small[1] && small[1] < small[2])
  }

  @Test func theStrengthOfAnExperienceIsTheListsAndItsLastGoesOn() throws {
    let listed = try toy { NLoRA(configuration(9) { $0.lambdaPerExperience = [0.02] }, learner: $0) }
    let plain = try toy { NLoRA(configuration(0.02), learner: $0) }
    try listed.trainer.run()
    try plain.trainer.run()
    #expect(listed.recorder.losses == plain.recorder.losses)
  }

  @Test func theReversedProductNeedsSquareLayers() throws {
    let square = try toy { NLoRA(configuration(0.1) { $0.product = .reversed }, learner: $0) }
    try square.trainer.run()
    let wide = try toy {
      NLoRA(configuration(0.1) { ($0.product, $0.targets) = (.reversed, ["intermediate.dense"]) }, learner: $0)
    }
    #expect(throws: NLoRAError.notSquare("encoder.layer.0.intermediate.dense.weight", shape: [64, 32])) {
      try wide.trainer.run()
    }
    #expect(
      NLoRAError.notSquare("x.weight", shape: [64, 32]).description
        == "n-lora with product: reversed needs layers with as many outputs as inputs, and x.weight is [64, 32]. "
        + "Set product to update, or leave that layer out of targets.")
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingDifferences { [NLoRA(.init(), learner: $0), MIGU(.init(), learner: $0)] } == [])
  }
}
