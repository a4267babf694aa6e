import Continual
import NN
import Streams
import TestSupport
import Testing
import Torch

@testable import Methods

@Suite struct MoELoRATests {
  private func configuration(experts: Int) -> MoELoRA.Configuration {
    configured { ($0.rank, $0.alpha, $0.dropout, $0.experts) = (4, 8, 0, experts) }
  }

  private func toy(_ method: (Learner) -> any ContinualMethod) throws -> Toy {
    try Toy(try Trace.model(), train: (0..<2).map { Toy.examples($0, seed: UInt64($0)) }) { [method($0)] }
  }

  @Test func trainsAsTheReferenceDoes() throws {
    let trace = try LoRATrace("moe-lora") { MoELoRA(configuration(experts: 2), learner: $0) }
    #expect(try trace.disagreements() == [])
  }

  @Test func oneExpertIsLoRA() throws {
    let mixture = try toy { MoELoRA(configuration(experts: 1), learner: $0) }
    let plain = try toy { SequentialLoRA(goldenLoRA, learner: $0) }
    try mixture.trainer.run()
    try plain.trainer.run()
    #expect(zip(mixture.recorder.losses, plain.recorder.losses).allSatisfy { abs($0 - $1) < 1e-5 })
    let trained = plain.parameters.snapshot(), mixed = mixture.parameters.snapshot()
    for (name, value) in trained {
      #expect(difference(try #require(mixed[name]), value, atol: 1e-6) == nil, "\(name)")
    }
  }

  @Test func theGatesOfATokenSumToOne() throws {
    var method: MoELoRA?
    let toy = try toy { learner in
      let made = MoELoRA(configuration(experts: 3), learner: learner)
      method = made
      return made
    }
    try toy.trainer.run()
    var random = Generator(seed: 1)
    let x = Tensor.normal([2, 5, 32], &random)
    let mixtures = try #require(method).mixtures
    #expect(mixtures.count == 4)
    for mixture in mixtures {
      let gates = withoutGradient { mixture.weigh(x, .evaluation) }
      #expect(gates.shape == [2, 5, 3])
      #expect(gates.sum(2).values().allSatisfy { abs($0 - 1) < 1e-6 })
      #expect(gates.values().allSatisfy { $0 > 0 })
    }
  }

  @Test func onlyExpertsRoutersAndHeadsTrain() throws {
    let toy = try toy { MoELoRA(configuration(experts: 2), learner: $0) }
    let before = toy.parameters.snapshot { $0.role == .backbone }
    try toy.trainer.run()
    #expect(areSame(before, toy.parameters.snapshot { $0.role == .backbone }))
    let names = toy.parameters.trainable.filter { $0.role == .adapter }.map(\.name)
    #expect(names.count == 4 * (2 * 2 + 1))
    #expect(names.contains("encoder.layer.0.attention.self.query.router.weight"))
  }

  @Test func resumesToTheSameBits() throws {
    #expect(try resumingDifferences { [MoELoRA(.init(), learner: $0), MIGU(.init(), learner: $0)] } == [])
  }
}
