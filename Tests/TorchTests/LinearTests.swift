import Testing
import Torch

/// x·weightᵀ + bias, by whichever library multiplies, against sums in plain arithmetic.
@Suite struct LinearTests {
  private func leaf(_ shape: [Int], _ random: inout Generator) -> Tensor {
    let x = Tensor.normal(shape, &random)
    x.setRequiresGradient(true)
    return x
  }

  /// Σ_k a[i,k]·b[k,j] in double precision.
  private func product(_ a: [Float], _ b: [Float], _ rows: Int, _ inner: Int, _ columns: Int) -> [Float] {
    var sums = [Float](repeating: 0, count: rows * columns)
    for i in 0..<rows {
      for j in 0..<columns {
        sums[i * columns + j] = Float(
          (0..<inner).reduce(0.0) { $0 + Double(a[i * inner + $1]) * Double(b[$1 * columns + j]) })
      }
    }
    return sums
  }

  private func transposed(_ a: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    (0..<columns).flatMap { j in (0..<rows).map { a[$0 * columns + j] } }
  }

  @Test(arguments: [[6], [2, 3], [1, 2, 3], [1]], [true, false])
  func theProductAndItsGradients(_ front: [Int], hasBias: Bool) throws {
    var random = Generator(seed: 5)
    let rows = front.reduce(1, *), inputs = 37, outputs = 19
    let x = leaf(front + [inputs], &random), weight = leaf([outputs, inputs], &random)
    let bias = hasBias ? leaf([outputs], &random) : nil
    let y = x.linear(weight, bias), above = Tensor.normal(front + [outputs], &random)
    #expect(y.shape == front + [outputs])
    let w = weight.detached().values(), a = x.detached().values(), g = above.values()
    let added = bias?.detached().values() ?? [Float](repeating: 0, count: outputs)
    let expected = product(a, transposed(w, outputs, inputs), rows, inputs, outputs).enumerated().map {
      $1 + added[$0 % outputs]
    }
    #expect(difference(y.detached(), expected, shape: y.shape, atol: 1e-4) == nil)
    let gradients = try (y * above).sum().gradients(of: [x, weight] + (bias.map { [$0] } ?? []))
    #expect(
      difference(try #require(gradients[0]), product(g, w, rows, outputs, inputs), shape: x.shape, atol: 1e-4) == nil)
    let expectedWeight = product(transposed(g, rows, outputs), a, outputs, rows, inputs)
    #expect(difference(try #require(gradients[1]), expectedWeight, shape: weight.shape, atol: 1e-4) == nil)
    if hasBias {
      let sums = product([Float](repeating: 1, count: rows), g, 1, rows, outputs)
      #expect(difference(try #require(gradients[2]), sums, shape: [outputs], atol: 1e-4) == nil)
    }
    // The same without a graph.
    #expect(inference { x.linear(weight, bias).values() } == y.detached().values())
  }

  @Test func whatDoesNotLieInARow() throws {
    var random = Generator(seed: 6)
    let wide = leaf([20, 12], &random), weight = leaf([7, 20], &random)
    let turned = wide.t.linear(weight, nil), straight = wide.t.clone().linear(weight, nil)
    #expect(difference(turned.detached(), straight.detached().values(), shape: [12, 7], atol: 1e-5) == nil)
    // A gradient that is one number for all elements.
    let gradient = try #require(turned.sum().gradients(of: [wide])[0])
    let columns = (0..<20).map { k in (0..<7).reduce(Float(0)) { $0 + weight.detached().values()[$1 * 20 + k] } }
    #expect(
      difference(gradient, columns.flatMap { [Float](repeating: $0, count: 12) }, shape: [20, 12], atol: 1e-4) == nil)
  }

  @Test func noRowsAreNoRows() throws {
    var random = Generator(seed: 7)
    let weight = leaf([7, 20], &random), x = Tensor.zeros([0, 20])
    let y = x.linear(weight, nil)
    #expect(y.shape == [0, 7])
    let gradient = try #require(y.sum().gradients(of: [weight])[0])
    #expect(gradient.values().allSatisfy { $0 == 0 })
  }
}
