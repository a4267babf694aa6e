import Foundation
import Testing

@testable import Torch

/// What accelerators are asked for, on the CPU against what the CPU itself runs.
@Suite struct AcceleratorTests {
  private func inputs(_ shape: [Int]) -> (q: Tensor, k: Tensor, v: Tensor) {
    var generator = Generator(seed: 3)
    func leaf() -> Tensor {
      let x = Tensor.normal(shape, &generator)
      x.setRequiresGradient(true)
      return x
    }
    return (leaf(), leaf(), leaf())
  }

  @Test(arguments: ["none", "mask", "causal"]) func fusedAttentionIsAttention(_ sight: String) throws {
    let (q, k, v) = inputs([2, 3, 7, 8])
    var generator = Generator(seed: 4)
    let hidden = Tensor([0, 0, -.infinity, 0, 0, 0, -.infinity] as [Float], shape: [1, 1, 1, 7])
    func run(_ isFused: Bool) -> [Tensor] {
      let y = Tensor.attention(
        q, k, v, mask: sight == "mask" ? hidden : nil, isCausal: sight == "causal", isFused: isFused, scale: 0.3,
        dropout: 0, generator: &generator)
      return [y] + (y * y).sum().gradients(of: [q, k, v]).compactMap { $0 }
    }
    let fused = run(true), plain = run(false)
    #expect(fused.count == 4)
    for (a, b) in zip(fused, plain) { #expect(difference(a, b.values(), atol: 1e-5) == nil) }
    // What is hidden changes nothing of the query before it.
    if sight == "causal" {
      let first = Tensor.attention(
        q.narrowed(2, 0..<1), k.narrowed(2, 0..<1), v.narrowed(2, 0..<1), mask: nil, scale: 0.3, generator: &generator)
      #expect(difference(plain[0].narrowed(2, 0..<1), first.values(), atol: 1e-6) == nil)
    }
  }

  @Test func fusedDropoutFollowsTheGenerator() {
    let (q, k, v) = inputs([1, 2, 16, 8])
    func run(_ seed: UInt64) -> [Float] {
      var generator = Generator(seed: seed)
      return Tensor.attention(
        q, k, v, mask: nil, isCausal: false, isFused: true, scale: 0.3, dropout: 0.5, generator: &generator
      ).detached().values()
    }
    #expect(run(1) == run(1) && run(1) != run(2))
  }

  @Test(arguments: [DType.float32, .bfloat16], [true, false])
  func parametersThatAreUpdatedTogetherEndWhereEachAloneDoes(_ dtype: DType, isDecoupled: Bool) {
    func operands() -> [AdamWStep.Operands] {
      var generator = Generator(seed: 7)
      return [[3, 5], [64, 9], [1]].map { shape in
        let initial = Tensor.normal(shape, &generator), value = initial.to(dtype).clone()
        return AdamWStep.Operands(
          value: value, master: dtype == .float32 ? value.detached() : initial,
          gradient: Tensor.normal(shape, &generator).to(dtype), first: .zeros(shape), second: .zeros(shape))
      }
    }
    let apart = operands(), together = operands()
    for step in 1...3 {
      let update = AdamWStep(
        rate: 0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, step: step, isDecoupled: isDecoupled,
        gradientScale: 0.5)
      for one in apart {
        update.apply(
          value: one.value, master: one.master, gradient: one.gradient, first: one.first, second: one.second)
      }
      update.apply(together: together)
    }
    for (a, b) in zip(together, apart) {
      for part in [\AdamWStep.Operands.master, \.first, \.second] {
        #expect(difference(a[keyPath: part], b[keyPath: part].values(), atol: 1e-5) == nil)
      }
      #expect(a.value.values() == a.master.to(dtype).values())
    }
  }

  @Test func theNormThatStaysOnTheDeviceIsTheNorm() {
    let gradients = [Tensor([3, 0] as [Float]), Tensor([4, 12] as [Float], shape: [2, 1]).to(.bfloat16)]
    #expect(abs(Tensor.deviceNorm(gradients).item() - Tensor.globalNorm(gradients)) < 1e-5)
    #expect(Tensor.deviceNorm([Tensor([.nan] as [Float])] + gradients).item().isNaN)
    Tensor.multiply(gradients, by: Tensor([0.5] as [Float], shape: []))
    #expect(gradients[0].values() == [1.5, 0] && gradients[1].values() == [2, 6])
  }
}
