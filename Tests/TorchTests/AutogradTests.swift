import Foundation
import Testing
import Torch

@Suite struct AutogradTests {
  @Test func backwardAccumulatesInLeaves() {
    let x = leaf([1, 2, 3])
    #expect(x.gradient == nil)
    x.squared().sum().backward()
    #expect(difference(x.gradient ?? .zeros([]), [2, 4, 6]) == nil)
    x.sum().backward()
    #expect(difference(x.gradient ?? .zeros([]), [3, 5, 7]) == nil)
    x.gradient = nil
    #expect(x.gradient == nil)
    x.gradient = Tensor([1, 1, 1] as [Float])
    #expect(difference(x.gradient ?? .zeros([]), [1, 1, 1]) == nil)
  }

  @Test func gradientsOfInputsLeaveTheLeavesAlone() throws {
    let x = leaf([1, 2]), unused = leaf([1])
    let loss = (x * x * x).sum()
    let kept = loss.gradients(of: [x, unused], keepGraph: true)
    #expect(difference(try #require(kept[0]), [3, 12]) == nil)
    #expect(kept[1] == nil)
    let again = loss.gradients(of: [x])
    #expect(difference(try #require(again[0]), [3, 12]) == nil)
    #expect(x.gradient == nil)
  }

  @Test func scopesEndAlsoOnErrors() {
    let x = leaf([1])
    #expect(throws: Interruption.self) { try withoutGradient { throw Interruption() } }
    #expect((x * 2).requiresGradient)
    #expect(throws: Interruption.self) { try inference { throw Interruption() } }
    #expect((x * 2).requiresGradient)
    withoutGradient {
      #expect(!(x * 2).requiresGradient)
      withoutGradient {}
      #expect(!(x * 2).requiresGradient, "an inner scope restores what it found")
    }
    #expect((x * 2).requiresGradient)
  }

  @Test func inferenceRecordsNothing() {
    let x = leaf([2])
    let y = inference { x * 3 }
    #expect(y.item() == 6)
    #expect(!y.requiresGradient)
    #expect((x * 3).requiresGradient)
  }

  @Test func detachingLeavesTheGraph() {
    let x = leaf([2])
    let y = x.detached()
    #expect(!y.requiresGradient)
    (x * y).sum().backward()
    #expect(x.gradient?.item() == 2)
  }

  @Test func freezingStopsRecording() {
    let x = leaf([2])
    x.setRequiresGradient(false)
    #expect(!x.requiresGradient && !(x * 2).requiresGradient)
  }

  @Test func theGlobalNormSpansTensors() {
    let gradients = [Tensor([3] as [Float]), Tensor([0, 4] as [Float]).to(.bfloat16), Tensor.full([2, 2], 6)]
    #expect(abs(Tensor.globalNorm(gradients) - 13) < 1e-6)
    #expect(Tensor.globalNorm([]) == 0)
    // Longer than what is summed at once, of sizes that no vector register divides, in other dtypes and out of order.
    var random = Generator(seed: 6)
    let long = Tensor.normal([70001], &random), wide = Tensor.normal([130, 129], &random).to(.bfloat16).t
    let double = Tensor.normal([3], &random).to(.float64), half = Tensor.normal([5], &random).to(.float16)
    let all = [long, wide, double, half]
    let expected = all.reduce(0) { $0 + $1.to(.float64).squared().sum().item() }.squareRoot()
    #expect(abs(Tensor.globalNorm(all) - expected) < 1e-6 * expected)
    #expect(Tensor.globalNorm([long, Tensor([.infinity] as [Float])]) == .infinity)
    #expect(Tensor.globalNorm([Tensor([.nan] as [Float]), long]).isNaN)
  }

  /// Central differences at ±h in float64.
  private func numerical(_ x: [Double], _ shape: [Int], _ function: (Tensor) -> Tensor) -> [Float] {
    x.indices.map { index in
      let values = [1e-5, -1e-5].map { step -> Double in
        var moved = x
        moved[index] += step
        return function(Tensor(moved, shape: shape)).item()
      }
      return Float((values[0] - values[1]) / 2e-5)
    }
  }

  @Test func gradientsEqualFiniteDifferences() throws {
    let weight = Tensor([0.2, -0.4, 0.9, 0.3, 0.1, -0.7] as [Double], shape: [2, 3])
    let three = Tensor([1.5, -0.5, 2] as [Double]), targets = Tensor([1, 0] as [Int64])
    let functions: [(String, (Tensor) -> Tensor)] = [
      ("gelu", { ($0.gelu() * three).sum() }),
      ("silu", { ($0.silu() * three).sum() }),
      ("softplus", { ($0.softplus() * three).sum() }),
      ("softmax", { ($0.softmax() * three).sum() }),
      ("logSumExp", { $0.logSumExp(1).squared().sum() }),
      ("layerNorm", { ($0.layerNorm(three, three, epsilon: 1e-3).tanh() * three).sum() }),
      ("linear", { $0.linear(weight).squared().sum() }),
      ("crossEntropy", { $0.crossEntropy(targets) }),
      ("norm", { $0.norm(2, over: [1]).sum() }),
      ("gathered", { $0.gathered(1, Tensor([0, 0, 2] as [Int64])).exp().sum() }),
      ("division", { (three / ($0.squared() + 1)).sum() }),
    ]
    let values = [0.3, -1.2, 0.8, 1.1, 0.05, -0.4]
    for (name, function) in functions {
      let x = Tensor(values, shape: [2, 3])
      x.setRequiresGradient(true)
      function(x).backward()
      let gradient = try #require(x.gradient)
      #expect(difference(gradient, numerical(values, [2, 3], function), atol: 1e-5) == nil, "\(name)")
    }
  }

  @Test func attentionsGradientsEqualFiniteDifferences() throws {
    let k = Tensor([0.5, -1, 0.3, 0.9] as [Double], shape: [1, 1, 2, 2])
    func loss(_ q: Tensor) -> Tensor {
      var generator = Generator(seed: 0)
      return Tensor.attention(q, k, k * 2, mask: nil, scale: 0.7, generator: &generator).squared().sum()
    }
    let values = [0.3, -1.2, 0.8, 1.1]
    let q = Tensor(values, shape: [1, 1, 2, 2])
    q.setRequiresGradient(true)
    loss(q).backward()
    #expect(difference(try #require(q.gradient), numerical(values, [1, 1, 2, 2], loss), atol: 1e-5) == nil)
  }
}
