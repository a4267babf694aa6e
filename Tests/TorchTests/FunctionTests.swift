import Foundation
import Testing
import Torch

@Suite struct FunctionTests {
  private let a = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])

  @Test func matrixProductsBatch() {
    #expect(difference(a.matmul(a), [7, 10, 15, 22], shape: [2, 2]) == nil)
    let batch = Tensor.stacked([a, .eye(2)])
    #expect(difference(batch.matmul(a), [7, 10, 15, 22, 1, 2, 3, 4], shape: [2, 2, 2]) == nil)
  }

  @Test func linearMultipliesByTheTranspose() {
    let x = Tensor([1, -1] as [Float], shape: [1, 2]), bias = Tensor([10, 20] as [Float])
    #expect(difference(x.linear(a), [-1, -1], shape: [1, 2]) == nil)
    #expect(difference(x.linear(a, bias), [9, 19], shape: [1, 2]) == nil)
  }

  @Test func embeddingLooksRowsUp() {
    let index = Tensor([1, 0, 1, 1] as [Int64], shape: [2, 2])
    #expect(difference(a.embedding(index), [3, 4, 1, 2, 3, 4, 3, 4], shape: [2, 2, 2]) == nil)
  }

  @Test func layerNormCentersAndScales() {
    let x = Tensor([1, 3, -2, 2] as [Float], shape: [2, 2])
    let weight = Tensor([2, 3] as [Float]), bias = Tensor([0.5, 0] as [Float])
    #expect(difference(x.layerNorm(weight, bias, epsilon: 0), [-1.5, 3, -1.5, 3], shape: [2, 2]) == nil)
    // Variance 1 and epsilon 3 give a deviation of 2.
    #expect(difference(x.at(0, 0).layerNorm(weight, nil, epsilon: 3), [-1, 1.5]) == nil)
  }

  @Test func softmaxIsADistribution() {
    let x = Tensor([0, Float(log(3.0)), 100, 100] as [Float], shape: [2, 2])
    #expect(difference(x.softmax(), [0.25, 0.75, 0.5, 0.5]) == nil)
    #expect(difference(x.logSoftmax(1), [-1.3862944, -0.28768207, -0.6931472, -0.6931472]) == nil)
    #expect(difference(a.softmax(0).sum(0), [1, 1]) == nil)
  }

  @Test func crossEntropyIsCollectedAsAsked() {
    let logits = Tensor([0, Float(log(3.0)), 0, 0, 5, 1] as [Float], shape: [3, 2])
    let targets = Tensor([1, 0, -100] as [Int64])
    let first = Float(log(4.0 / 3)), second = Float(log(2.0))
    #expect(difference(logits.crossEntropy(targets, reduction: .none), [first, second, 0], shape: [3]) == nil)
    #expect(difference(logits.crossEntropy(targets), [(first + second) / 2], shape: []) == nil)
    #expect(difference(logits.crossEntropy(targets, reduction: .sum), [first + second]) == nil)
    let others = Tensor([7, 0, 7] as [Int64])
    #expect(difference(logits.crossEntropy(others, ignoring: 7), [second]) == nil)
  }

  /// Against libtorch's own in float64, which takes another path.
  @Test(arguments: [1, 15, 16, 1024, 2500], [DType.float32, .bfloat16])
  func crossEntropyOverAVocabularyIsThatOfDoubles(_ classes: Int, _ dtype: DType) throws {
    var generator = Generator(seed: 3)
    let rows = 5, scores = (Tensor.normal([rows, classes], &generator) * 4).to(dtype)
    let targets = Tensor((0..<rows).map { $0 == 2 ? -100 : Int64($0 * 611 % classes) })
    let factors = Tensor([0.5, -2, 3, 1, 0] as [Float])
    func losses(_ scores: Tensor) throws -> (Tensor, Tensor, Tensor) {
      scores.setRequiresGradient(true)
      let each = scores.crossEntropy(targets, reduction: .none)
      (each * factors.to(each.dtype)).sum().backward()
      return (each, scores.crossEntropy(targets), try #require(scores.gradient))
    }
    let (each, mean, gradient) = try losses(scores)
    let (plain, plainMean, slope) = try losses(scores.detached().to(.float64))
    #expect(each.dtype == .float32 && gradient.dtype == dtype)
    #expect(difference(each, plain.to(.float32).values(), atol: 1e-5) == nil)
    #expect(abs(mean.item() - plainMean.to(.float32).item()) < 1e-5)
    let atol: Float = dtype == .bfloat16 ? 6e-3 : 1e-6
    #expect(difference(gradient.to(.float32).reshaped(-1), slope.to(.float32).reshaped(-1).values(), atol: atol) == nil)
    let none = Tensor.full([rows], -100, dtype: .int64)
    #expect(scores.crossEntropy(none, reduction: .sum).item() == 0)
  }

  /// float16 takes the path that other devices take, where bfloat16 does too.
  @Test func crossEntropyOfHalfScoresIsFloat32() throws {
    var generator = Generator(seed: 4)
    let scores = (Tensor.normal([3, 2500], &generator) * 4).to(.float16), targets = Tensor([7, -100, 2000] as [Int64])
    scores.setRequiresGradient(true)
    let loss = scores.crossEntropy(targets)
    let plain = scores.detached().to(.float64).crossEntropy(targets)
    #expect(loss.dtype == .float32 && abs(loss.item() - plain.item()) < 1e-5)
    loss.backward()
    #expect(try #require(scores.gradient).dtype == .float16)
  }

  @Test func attentionMixesTheValuesOfKeptKeys() {
    var generator = Generator(seed: 0)
    let q = Tensor([1, 0] as [Float], shape: [1, 1, 1, 2])
    let k = Tensor([0, 5, 2, 7, 9, 9] as [Float], shape: [1, 1, 3, 2])
    let v = Tensor([10, 20, 1000] as [Float], shape: [1, 1, 3, 1])
    let mask = Tensor([0, 0, -.infinity] as [Float], shape: [1, 1, 1, 3])
    // Scores 0 and 2·½ = 1: weights 1/(1+e) and e/(1+e).
    let expected = Float((10 + 20 * M_E) / (1 + M_E))
    let mixed = Tensor.attention(q, k, v, mask: mask, scale: 0.5, generator: &generator)
    #expect(difference(mixed, [expected], shape: [1, 1, 1, 1], atol: 1e-5) == nil)
    #expect(generator == Generator(seed: 0), "without dropout nothing is drawn")
    let even = Tensor.attention(q * 0, k, v, mask: nil, scale: 1, generator: &generator)
    #expect(difference(even, [1030 / 3], atol: 1e-3) == nil)
  }

  @Test func attentionDropsWeightsWithTheKeyOfTheGenerator() {
    var first = Generator(seed: 4), second = Generator(seed: 4)
    let q = Tensor.ones([1, 2, 8, 4]), v = Tensor.ones([1, 2, 8, 4])
    let one = Tensor.attention(q, q, v, mask: nil, scale: 1, dropout: 0.5, generator: &first)
    let two = Tensor.attention(q, q, v, mask: nil, scale: 1, dropout: 0.5, generator: &second)
    #expect(one.values() == two.values())
    #expect(Set(one.values()).count > 1)
    #expect(first.counter == 1)
  }

  @Test func singularValuesRebuildTheMatrix() {
    let x = Tensor([3, 0, 0, -2, 0, 0] as [Float], shape: [3, 2])
    let (u, s, vh) = x.singularValues()
    #expect(difference(s, [3, 2], shape: [2]) == nil)
    #expect([u.shape, vh.shape] == [[3, 2], [2, 2]])
    #expect(difference((u * s).matmul(vh), x.values()) == nil)
  }

  @Test func qrFactorsAreOrthogonalAndTriangular() {
    let (q, r) = a.qr()
    #expect(difference(q.matmul(r), a.values(), atol: 1e-5) == nil)
    #expect(difference(q.t.matmul(q), [1, 0, 0, 1], atol: 1e-5) == nil)
    #expect(r.values()[2] == 0)
  }

  @Test func solvingInvertsTheProduct() {
    let x = Tensor([1, -1] as [Float], shape: [2, 1])
    #expect(difference(a.solved(a.matmul(x)), [1, -1], shape: [2, 1], atol: 1e-5) == nil)
  }
}
