import Testing
import Torch

/// Kernels of one pass against the same in float64, which takes libtorch's operations.
@Suite struct OnePassTests {
  private func gradients(_ y: Tensor, _ above: Tensor, _ leaves: [Tensor]) throws -> [[Float]] {
    try (y * above.to(y.dtype)).sum().gradients(of: leaves).map { try #require($0).to(.float32).values() }
  }

  private func leaf(_ x: Tensor, _ dtype: DType) -> Tensor {
    let copy = x.to(dtype).clone()
    copy.setRequiresGradient(true)
    return copy
  }

  /// Relative to the largest value; bfloat16 has eight bits.
  private func areClose(_ a: [Float], _ b: [Float], _ dtype: DType) -> Bool {
    let largest = b.map(abs).max() ?? 0
    return zip(a, b).allSatisfy { abs($0 - $1) <= largest * (dtype == .float32 ? 1e-6 : 0.01) }
  }

  @Test(arguments: [(3, 37), (130, 64), (1, 16), (65, 5)], [DType.float32, .bfloat16])
  func theRootMeanSquareAndItsGradients(_ size: (rows: Int, width: Int), _ dtype: DType) throws {
    var random = Generator(seed: 3)
    let x = Tensor.normal([size.rows, size.width], &random).to(dtype), above = Tensor.normal(x.shape, &random).to(dtype)
    let weight = Tensor.normal([size.width], &random).to(dtype)
    func run(_ dtype: DType) throws -> [[Float]] {
      let leaves = [leaf(x, dtype), leaf(weight, dtype)], y = leaves[0].rmsNorm(leaves[1], epsilon: 1e-3)
      return [y.detached().to(.float32).values()] + (try gradients(y, above, leaves))
    }
    let found = try run(dtype), expected = try run(.float64)
    for (a, b) in zip(found, expected) { #expect(areClose(a, b, dtype) && a.count == b.count) }
    // The same bits without a gradient.
    #expect(inference { x.rmsNorm(weight, epsilon: 1e-3) }.to(.float32).values() == found[0])
  }

  @Test(arguments: [1, 2], [DType.float32, .bfloat16])
  func rotationsAndTheirGradients(_ rowsOfAngles: Int, _ dtype: DType) throws {
    var random = Generator(seed: 4)
    let x = Tensor.normal([2, 7, 3, 10], &random).to(dtype), above = Tensor.normal(x.shape, &random).to(dtype)
    // Halves of their own, which rotary positions do not have.
    let cos = Tensor.normal([rowsOfAngles, 7, 1, 10], &random).to(dtype)
    let sin = Tensor.normal([rowsOfAngles, 7, 1, 10], &random).to(dtype)
    func run(_ dtype: DType) throws -> [[Float]] {
      let x = leaf(x, dtype), y = x.rotated(cos: cos.to(dtype), sin: sin.to(dtype))
      return [y.detached().to(.float32).values()] + (try gradients(y, above, [x]))
    }
    let found = try run(dtype), expected = try run(.float64)
    for (a, b) in zip(found, expected) { #expect(areClose(a, b, dtype) && a.count == b.count) }
  }

  @Test(arguments: [DType.float32, .bfloat16]) func rowsOfZeros(_ dtype: DType) {
    var random = Generator(seed: 5)
    let x = Tensor.normal([40, 3, 5], &random).to(dtype), rows: [Int64] = [39, 0, 7]
    let before = x.to(.float32).values()
    x.fill(0, at: Tensor(rows), dimension: 0)
    let after = x.to(.float32).values()
    for (place, value) in after.enumerated() {
      #expect(value == (rows.contains(Int64(place / 15)) ? 0 : before[place]))
    }
  }
}
