import Testing
import Torch

/// Attention of texts behind one another is what attention of each text alone is.
@Suite struct AttentionSpansTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var heads = 2, stored = 2, width = 16
    var queries: [Int] = [5, 17, 40, 1], keys: [Int]?
    var hasBias = false, isCausal = false
    var window: Int?
    var testDescription: String {
      "\(heads)/\(stored) heads of \(width), bias \(hasBias), causal \(isCausal), window \(window ?? 0), keys \(keys ?? [])"
    }
  }

  private static func starts(_ lengths: [Int]) -> [Int64] {
    lengths.reduce(into: [0]) { $0.append(($0.last ?? 0) + Int64($1)) }
  }

  /// The same from the ordinary operators, text by text.
  private func plain(_ test: Case, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ bias: Tensor?, _ spans: Spans) -> Tensor {
    let parts = (0..<spans.count).map { text -> Tensor in
      func part(_ x: Tensor, _ starts: [Int64]) -> Tensor {
        x.narrowed(0, Int(starts[text])..<Int(starts[text + 1])).transposed(0, 1)
      }
      func all(_ x: Tensor) -> Tensor {
        let times = test.heads / test.stored
        return x.unsqueezed(1).expanded([test.stored, times, x.size(1), x.size(2)])
          .reshaped(test.heads, x.size(1), x.size(2))
      }
      let keys = all(part(k, spans.keys)), values = all(part(v, spans.keys))
      var scores = part(q, spans.queries).matmul(keys.transposed(1, 2)) * 0.3
      let rows = scores.size(1), columns = scores.size(2)
      if let bias { scores = scores + bias.narrowed(1, 0..<rows).narrowed(2, 0..<columns) }
      let hidden = (0..<rows).flatMap { row in
        (0..<columns).map { column -> Float in
          let isAhead = test.isCausal && column > row, isFar = test.window.map { column <= row - $0 } ?? false
          return isAhead || isFar ? -1e30 : 0
        }
      }
      return (scores + Tensor(hidden, shape: [rows, columns])).softmax(2).matmul(values).transposed(0, 1)
    }
    return .concatenated(parts)
  }

  @Test(arguments: [
    Case(), Case(width: 24, hasBias: true), Case(keys: [9, 3, 33, 20], hasBias: true),
    Case(heads: 4, stored: 2, isCausal: true), Case(heads: 4, stored: 1, hasBias: true, isCausal: true, window: 7),
  ]) func valuesAndGradientsAreThoseOfEachTextAlone(_ test: Case) throws {
    var random = Generator(seed: 1)
    let keys = test.keys ?? test.queries
    let spans = Spans(
      Self.starts(test.queries), keys: Self.starts(keys), isCausal: test.isCausal, window: test.window)
    func draw(_ count: Int, _ heads: Int) -> Tensor {
      let x = Tensor.normal([count, heads, test.width], &random)
      x.setRequiresGradient(true)
      return x
    }
    let q = draw(test.queries.reduce(0, +), test.heads)
    let k = draw(keys.reduce(0, +), test.stored), v = draw(keys.reduce(0, +), test.stored)
    let bias: Tensor? = test.hasBias ? .normal([test.heads, 41, 40], &random) : nil
    bias?.setRequiresGradient(true)
    let leaves = [q, k, v] + (bias.map { [$0] } ?? [])
    let mine = Tensor.attention(q, k, v, spans: spans, bias: bias, scale: 0.3, generator: &random)
    let expected = plain(test, q, k, v, bias, spans)
    #expect(difference(mine, expected.values(), shape: expected.shape, atol: 1e-5) == nil)
    let weights = Tensor.normal(mine.shape, &random)
    let gradients = zip((mine * weights).sum().gradients(of: leaves), (expected * weights).sum().gradients(of: leaves))
    for (gradient, reference) in gradients {
      let reference = try #require(reference)
      #expect(difference(try #require(gradient), reference.values(), shape: reference.shape, atol: 1e-4) == nil)
    }
    let silent = inference { Tensor.attention(q, k, v, spans: spans, bias: bias, scale: 0.3, generator: &random) }
    #expect(silent.values() == mine.detached().values())
  }

  private static func attend(_ length: Int, bias shape: [Int]) -> Tensor {
    var random = Generator(seed: 6)
    let x = Tensor.normal([length, 1, 16], &random)
    return .attention(x, x, x, spans: Spans([0, Int64(length)]), bias: .zeros(shape), scale: 1, generator: &random)
  }

  @Test(arguments: [1, 15, 16, 17, 32]) func aBiasOfTheLongestTextIsEnough(_ length: Int) {
    #expect(Self.attend(length, bias: [1, length, length]).shape == [length, 1, 16])
  }

  /// The sentence is the same for both dimensions.
  private func expectRefusal(_ result: ExitTest.Result?) {
    let output = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(output.contains("does not cover the longest text"), "\(output.prefix(400))")
  }

  @Test func aBiasOfTooFewQueriesIsRefused() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionSpansTests.attend(16, bias: [1, 15, 16])
    }
    expectRefusal(result)
  }

  @Test func aBiasOfTooFewKeysIsRefused() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AttentionSpansTests.attend(32, bias: [1, 32, 17])
    }
    expectRefusal(result)
  }

  /// Gradients too; of an odd width too, since elements are multiplied in pairs.
  @Test(arguments: [
    Case(width: 32), Case(heads: 4, width: 64, isCausal: true), Case(width: 15), Case(width: 24, hasBias: true),
    Case(heads: 4, stored: 2, keys: [9, 3, 33, 20], hasBias: true),
  ]) func bfloat16DiffersByItsRoundingOnly(_ test: Case) throws {
    var random = Generator(seed: 2)
    let keys = test.keys ?? test.queries
    let spans = Spans(Self.starts(test.queries), keys: Self.starts(keys), isCausal: test.isCausal)
    let counts = [(test.queries, test.heads), (keys, test.stored), (keys, test.stored)]
    let parts = counts.map { Tensor.normal([$0.reduce(0, +), $1, test.width], &random).to(.bfloat16) }
    let bias: Tensor? = test.hasBias ? .normal([test.heads, 41, 40], &random) : nil
    let weights = Tensor.normal([counts[0].0.reduce(0, +), test.heads, test.width], &random).to(.bfloat16)
    func run(_ dtype: DType) throws -> [Tensor] {
      let leaves = (parts.map { $0.to(dtype) } + (bias.map { [$0] } ?? [])).map { $0.detached().clone() }
      for leaf in leaves { leaf.setRequiresGradient(true) }
      let y = Tensor.attention(
        leaves[0], leaves[1], leaves[2], spans: spans, bias: leaves.dropFirst(3).first, scale: 0.2, dropout: 0.1,
        generator: &random)
      #expect(y.dtype == dtype)
      return [y.detached()] + (try (y * weights.to(dtype)).sum().gradients(of: leaves).map { try #require($0) })
    }
    let start = random
    let half = try run(.bfloat16)
    random = start
    for (half, full) in zip(half, try run(.float32)) {
      let size = full.values().map(abs).max() ?? 0
      #expect(difference(half.to(.float32), full.values(), shape: full.shape, atol: 0.015 * size) == nil)
    }
  }

  @Test(arguments: [Float.nan, .infinity]) func whatIsNotFiniteShows(_ value: Float) {
    var random = Generator(seed: 5)
    let q = Tensor.normal([20, 1, 16], &random), k = Tensor.normal([20, 1, 16], &random)
    let broken = Tensor((0..<320).map { $0 == 35 ? value : 1 }, shape: [20, 1, 16])
    for (query, key) in [(broken, k), (q, broken)] {
      let y = Tensor.attention(query, key, k, spans: Spans([0, 20]), scale: 1, generator: &random).values()
      #expect(y.contains { !$0.isFinite })
    }
    let y = Tensor.attention(q, k, broken, spans: Spans([0, 2, 20]), scale: 1, generator: &random).values()
    #expect(y[..<32].allSatisfy(\.isFinite) && y[32...].contains { !$0.isFinite }, "the other text is untouched")
  }

  @Test func dropoutIsDrawnFromTheGeneratorAndDifferentiatedAsItFell() throws {
    var first = Generator(seed: 3), again = Generator(seed: 3), data = Generator(seed: 4)
    let spans = Spans([0, 6, 15]), v = Tensor.ones([15, 2, 16])
    let q = Tensor.normal([15, 2, 16], &data), k = Tensor.normal([15, 2, 16], &data)
    func run(_ values: Tensor, _ random: inout Generator) -> Tensor {
      .attention(q, k, values, spans: spans, scale: 0.1, dropout: 0.4, generator: &random)
    }
    let y = run(v, &first)
    #expect(run(v, &again).values() == y.values())
    #expect(run(v, &again).values() != y.values(), "the next key gives another mask")
    // Rows of ones would give ones; what is dropped and scaled keeps that in the mean.
    #expect(abs(y.mean().item() - 1) < 0.1 && y.values().contains { abs($0 - 1) > 0.05 })
    // Attention is linear in the values: the gradient for them must be its transpose.
    let x = Tensor.normal([15, 2, 16], &data), weights = Tensor.normal([15, 2, 16], &data)
    x.setRequiresGradient(true)
    var same = Generator(seed: 3)
    let product = (run(x, &same) * weights).sum()
    let gradient = try #require(product.gradients(of: [x])[0])
    #expect(abs((gradient * x.detached()).sum().item() - product.item()) < 1e-3)
  }
}
