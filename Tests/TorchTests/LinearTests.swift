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

  /// Tiles, blocks and panels that are full, that are not, and that are summed in turns: `[rows, inputs, outputs]`.
  @Test(
    arguments: [
      [1, 2, 1], [6, 64, 64], [7, 130, 66], [13, 34, 17], [97, 48, 200], [200, 100, 97], [3, 9000, 5], [9001, 4, 6],
      [5, 8, 9000],
    ])
  func bfloat16(_ sizes: [Int]) throws {
    var random = Generator(seed: 8)
    let (rows, inputs, outputs) = (sizes[0], sizes[1], sizes[2])
    func leaf(_ shape: [Int]) -> Tensor {
      let x = Tensor.normal(shape, &random).to(.bfloat16)
      x.setRequiresGradient(true)
      return x
    }
    let x = leaf([rows, inputs]), weight = leaf([outputs, inputs]), bias = leaf([outputs])
    let above = Tensor.normal([rows, outputs], &random).to(.bfloat16)
    let kept = KeptRows(device: .cpu), some = stride(from: 0, to: outputs, by: 3).map(Int64.init)
    kept.keep(Tensor(some))
    let leaves = [x, weight, bias]
    let y = x.linear(weight, bias), gradients = try (y * above).sum().gradients(of: leaves).map { try #require($0) }
    let sparse = try #require((x.linear(weight, bias, keptRows: kept) * above).sum().gradients(of: [weight])[0])

    let wide = leaves.map { x in
      let wide = x.detached().to(.float32)
      wide.setRequiresGradient(true)
      return wide
    }
    let plain = wide[0].matmul(wide[1].t) + wide[2]
    let expected = try (plain * above.to(.float32)).sum().gradients(of: wide).map { try #require($0) }
    /// A bfloat16 holds eight bits; sums are of float32.
    func areClose(_ a: Tensor, _ b: Tensor, _ name: String) {
      let (a, b) = (a.detached().values(), b.detached().values())
      let largest = b.map { abs($0) }.max() ?? 0
      let gap = zip(a, b).map { abs($0 - $1) }.max() ?? 0
      #expect(a.count == b.count && gap <= largest / 128, "\(name) \(gap) of \(largest)")
    }
    areClose(y, plain, "x·Wᵀ + b")
    for (i, name) in ["x", "W", "b"].enumerated() { areClose(gradients[i], expected[i], "gradient of \(name)") }
    let all = expected[1].values(), (few, isKept) = (sparse.values(), Set(some.map(Int.init)))
    let masked = all.enumerated().map { isKept.contains($0.offset / inputs) ? $0.element : 0 }
    areClose(sparse, Tensor(masked, shape: [outputs, inputs]), "gradient of W's kept rows")
    #expect(zip(few, masked).allSatisfy { $1 != 0 || abs($0) < 1e-2 } && few.count == masked.count)
    // A row's bits depend on no other row.
    if rows > 1 {
      let half = rows / 2
      #expect(
        x.detached().narrowed(0, 0..<half).linear(weight.detached(), bias.detached()).values()
          == Array(y.detached().values().prefix(half * outputs)))
    }
  }

  @Test func bfloat16MustFit() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.ones([3, 8], dtype: .bfloat16).linear(.ones([5, 6], dtype: .bfloat16))
    }
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains("[3, 8]") && output.contains("[5, 6]"), "\(output.prefix(400))")
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
