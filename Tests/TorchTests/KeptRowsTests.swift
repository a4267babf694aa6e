import Testing
import Torch

@Suite struct KeptRowsTests {
  @Test(arguments: [DType.float32, .bfloat16], [true, false])
  func theGradientIsTheOrdinaryOneInTheKeptRows(_ dtype: DType, hasBias: Bool) throws {
    var random = Generator(seed: 1)
    func leaf(_ shape: [Int]) -> Tensor {
      let x = Tensor.normal(shape, &random).to(dtype)
      x.setRequiresGradient(true)
      return x
    }
    let x = leaf([2, 5, 12]), weight = leaf([7, 12]), bias = hasBias ? leaf([7]) : nil
    let leaves = [x, weight] + (bias.map { [$0] } ?? [])
    let kept = KeptRows(device: .cpu), rows: [Int] = [1, 4, 5]
    let y = x.linear(weight, bias, keptRows: kept), plain = x.linear(weight, bias)
    #expect(y.detached().values() == plain.detached().values())
    let above = Tensor.normal([2, 5, 7], &random).to(dtype)
    let expected = try (plain * above).sum().gradients(of: leaves).map { try #require($0).values() }
    // Named after the forward pass.
    kept.keep(Tensor(rows.map(Int64.init)))
    let sparse = try (y * above).sum().gradients(of: leaves, keepGraph: true).map { try #require($0).values() }
    let tolerance: Float = dtype == .float32 ? 1e-5 : 0.1
    func areClose(_ a: [Float], _ b: [Float]) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) <= tolerance } }
    #expect(areClose(sparse[0], expected[0]) && sparse.count == leaves.count)
    if hasBias { #expect(areClose(sparse[2], expected[2])) }
    for row in 0..<7 {
      let part = Array(sparse[1][row * 12..<(row + 1) * 12])
      #expect(
        rows.contains(row) ? areClose(part, Array(expected[1][row * 12..<(row + 1) * 12])) : part.allSatisfy { $0 == 0 }
      )
    }
    kept.keepAll()
    let dense = try #require((y * above).sum().gradients(of: [weight])[0]).values()
    #expect(areClose(dense, expected[1]))
  }

  @Test func rowsMustBeThere() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let weight = leaf([Float](repeating: 1, count: 12), [4, 3]), kept = KeptRows(device: .cpu)
      kept.keep(Tensor([Int64(1) << 40]))
      Tensor.ones([2, 3]).linear(weight, nil, keptRows: kept).sum().backward()
    }
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains("row 1099511627776 of 4"), "\(output.prefix(400))")
  }

  @Test(arguments: [(1, 3), (64, 16), (65, 37), (300, 100)]) func magnitudesOfColumns(rows: Int, columns: Int) {
    var random = Generator(seed: 2)
    let x = Tensor.normal([rows, columns], &random)
    let expected = x.norm(1, over: [0]).values()
    #expect(difference(x.columnMagnitudes(), expected, shape: [columns], atol: 1e-3) == nil)
    let half = x.to(.bfloat16)
    #expect(
      difference(half.columnMagnitudes(), half.to(.float32).norm(1, over: [0]).values(), shape: [columns], atol: 1e-3)
        == nil)
  }
}
