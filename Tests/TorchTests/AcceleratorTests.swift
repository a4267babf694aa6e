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

  @Test func theNormThatStaysOnTheDeviceIsTheNorm() {
    let gradients = [Tensor([3, 0] as [Float]), Tensor([4, 12] as [Float], shape: [2, 1]).to(.bfloat16)]
    #expect(abs(Tensor.deviceNorm(gradients).item() - Tensor.globalNorm(gradients)) < 1e-5)
    #expect(Tensor.deviceNorm([Tensor([.nan] as [Float])] + gradients).item().isNaN)
    Tensor.multiply(gradients, by: Tensor([0.5] as [Float], shape: []))
    #expect(gradients[0].values() == [1.5, 0] && gradients[1].values() == [2, 6])
  }
}
