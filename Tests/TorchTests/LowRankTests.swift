import Testing
import Torch

@Suite struct LowRankTests {
  /// Above 32 ranks libtorch's own products make it; widths beside and on the vectors' own.
  @Test(
    arguments: [DType.float32, .bfloat16],
    [([3, 7], 5, 9, 1), ([1], 64, 32, 8), ([2, 150], 70, 300, 12), ([301], 33, 17, 32), ([2, 3], 20, 24, 40)])
  func sumAndGradientsAreThoseOfTheProducts(_ dtype: DType, _ shape: ([Int], Int, Int, Int)) throws {
    let (rows, inputs, outputs, rank) = shape, scale = 0.5
    var random = Generator(seed: 3)
    func leaf(_ shape: [Int]) -> Tensor {
      let x = Tensor.normal(shape, &random).to(dtype)
      x.setRequiresGradient(true)
      return x
    }
    let x = leaf(rows + [inputs]), y = leaf(rows + [outputs]), a = leaf([rank, inputs]), b = leaf([outputs, rank])
    let above = Tensor.normal(rows + [outputs], &random)
    // In float32, to which the kernel's own sums belong.
    let wide = [x, y, a, b].map { $0.detached().to(.float32) }
    for leaf in wide { leaf.setRequiresGradient(true) }
    let plainLow = wide[0].linear(wide[2]), plain = wide[1] + (plainLow * scale).linear(wide[3])
    let expected = try (plain * above).sum().gradients(of: wide).map { try #require($0) }

    let (sum, low) = y.addingLowRank(x, a, b, scale: scale)
    #expect(sum.dtype == dtype && sum.shape == y.shape && low.dtype == .float32)
    #expect(low.shape == [rows.reduce(1, *), rank] && !low.requiresGradient)
    let found = try (sum.to(.float32) * above).sum().gradients(of: [x, y, a, b]).map { try #require($0) }
    /// Largest difference, as a share of the largest value.
    func error(_ found: Tensor, _ expected: Tensor) -> Float {
      let found = found.detached().to(.float32).values(), expected = expected.detached().values()
      let largest = expected.map(abs).max() ?? 1
      return zip(found, expected).map { abs($0 - $1) / largest }.max() ?? 0
    }
    let tolerance: Float = dtype == .float32 ? 2e-6 : 1e-2
    #expect(error(sum, plain) <= tolerance)
    #expect(error(low, plainLow.detached().reshaped(low.shape[0], rank)) <= tolerance)
    for (found, expected) in zip(found, expected) {
      #expect(found.shape == expected.shape && found.dtype == dtype)
      #expect(error(found, expected) <= tolerance)
    }
  }

  @Test(arguments: [DType.float32, .bfloat16]) func whatIsNoNumberStaysNone(_ dtype: DType) {
    let y = Tensor(Array(repeating: Float.nan, count: 40)).reshaped(1, 40).to(dtype)
    let x = Tensor.zeros([1, 16]).to(dtype), a = Tensor.zeros([2, 16]).to(dtype), b = Tensor.zeros([40, 2]).to(dtype)
    #expect(y.addingLowRank(x, a, b, scale: 1).sum.to(.float32).values().allSatisfy { $0.isNaN })
  }

  @Test func frozenFactorsPassGradientsOn() throws {
    var random = Generator(seed: 5)
    let x = Tensor.normal([4, 6], &random), y = Tensor.normal([4, 5], &random)
    let a = Tensor.normal([2, 6], &random), b = Tensor.normal([5, 2], &random)
    x.setRequiresGradient(true)
    let kernel = try #require(y.addingLowRank(x, a, b, scale: 3).sum.sum().gradients(of: [x])[0])
    let plain = try #require((y + (x.linear(a) * 3).linear(b)).sum().gradients(of: [x])[0])
    #expect(difference(kernel, plain.values(), shape: [4, 6], atol: 1e-5) == nil)
  }

  @Test func theSameBitsOnEveryThreadCount() throws {
    var random = Generator(seed: 4)
    let shapes = [[700, 96], [700, 64], [8, 96], [64, 8]]
    let leaves = shapes.map { Tensor.normal($0, &random).to(.bfloat16) }
    for leaf in leaves { leaf.setRequiresGradient(true) }
    func made() throws -> [[Float]] {
      let sum = leaves[1].addingLowRank(leaves[0], leaves[2], leaves[3], scale: 2).sum
      let gradients = try (sum.to(.float32) * sum.to(.float32)).sum().gradients(of: leaves)
      return try [sum.detached().values()] + gradients.map { try #require($0).values() }
    }
    let threads = Runtime.threads
    defer { Runtime.threads = threads }
    Runtime.threads = 1
    let one = try made()
    Runtime.threads = 2
    #expect(try made() == one)
  }
}
