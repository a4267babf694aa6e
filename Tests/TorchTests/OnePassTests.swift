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

  @Test(arguments: [(3, 37), (130, 64), (1, 16), (65, 5)], [DType.float32, .bfloat16])
  func layerNormsAndTheirGradients(_ size: (rows: Int, width: Int), _ dtype: DType) throws {
    var random = Generator(seed: 6)
    let x = Tensor.normal([size.rows, size.width], &random).to(dtype), added = Tensor.normal(x.shape, &random).to(dtype)
    let weight = Tensor.normal([size.width], &random).to(dtype), bias = Tensor.normal([size.width], &random).to(dtype)
    let above = Tensor.normal(x.shape, &random).to(dtype)
    for (isShifted, dropout) in [(true, nil), (false, nil), (true, 0), (true, 0.3), (false, 0.3)] {
      // Dropout has no float64.
      var drawn = random
      let factors = Tensor.ones(x.shape).dropout(dropout ?? 0, &drawn)
      func normalised(_ leaves: [Tensor]) -> Tensor {
        let bias = isShifted ? leaves[2] : nil
        guard let dropout else { return leaves[0].layerNorm(leaves[1], bias, epsilon: 1e-3) }
        if leaves[0].dtype == .float64 {
          return (leaves[0] + leaves[3] * factors.to(.float64)).layerNorm(leaves[1], bias, epsilon: 1e-3)
        }
        var random = random
        return leaves[0].layerNorm(adding: leaves[3], dropout: dropout, &random, leaves[1], bias, epsilon: 1e-3)
      }
      func run(_ dtype: DType) throws -> [[Float]] {
        let leaves = [x, weight, bias, added].map { leaf($0, dtype) }, y = normalised(leaves)
        let used = [leaves[0], leaves[1]] + (isShifted ? [leaves[2]] : []) + (dropout != nil ? [leaves[3]] : [])
        return [y.detached().to(.float32).values()] + (try gradients(y, above, used))
      }
      let found = try run(dtype), expected = try run(.float64)
      for (a, b) in zip(found, expected) { #expect(areClose(a, b, dtype) && a.count == b.count) }
      // The same bits without a gradient.
      #expect(inference { normalised([x, weight, bias, added]) }.to(.float32).values() == found[0])
    }
  }

  @Test(arguments: [DType.float32, .bfloat16]) func gradientsOfEmbeddings(_ dtype: DType) throws {
    var random = Generator(seed: 7)
    let table = Tensor.normal([50, 19], &random).to(dtype)
    let index = Tensor((0..<120).map { Int64($0 * $0 % 31) }, shape: [10, 12])
    let above = Tensor.normal([10, 12, 19], &random).to(dtype)
    func run(_ dtype: DType) throws -> [Float] {
      let table = leaf(table, dtype)
      return try gradients(table.embedding(index), above, [table])[0]
    }
    let found = try run(dtype), expected = try run(.float64)
    #expect(areClose(found, expected, dtype) && found.count == expected.count)
    #expect(found[(31 * 19)...].allSatisfy { $0 == 0 })
  }

  /// Where 256 is reached bfloat16 takes no more ones.
  @Test func manyTokensOfOneEmbeddingAllCount() throws {
    let table = leaf(Tensor.zeros([3, 17]), .bfloat16), tokens = Tensor([Int64](repeating: 1, count: 1000))
    let found = try gradients(table.embedding(tokens), Tensor.ones([1000, 17]), [table])[0]
    #expect(found == (0..<51).map { (17..<34).contains($0) ? 1000 : 0 })
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
