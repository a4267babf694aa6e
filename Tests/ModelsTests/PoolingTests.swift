import Models
import NN
import TestSupport
import Testing
import Torch

@Suite struct PoolingTests {
  /// Gives the tokens' ids as vectors of width 1.
  private final class Echo: TextEncoder {
    let width = 1, attentionHeads = 1, maxLength = 8
    func hidden(_ batch: DeviceBatch, _ mode: Mode) -> Tensor { batch.tokens.to(.float32).unsqueezed(2) }
  }

  private func features(_ pooling: EncoderClassifier.Pooling, mask: [Float]?) -> [Float] {
    let scope = Scope(store: ParameterStore(), dtype: .float32, device: .cpu, seed: 0)
    let batch = DeviceBatch(
      tokens: Tensor([2, 4, 9, 1, 9, 9] as [Int64], shape: [2, 3]), segments: .zeros([2, 3], dtype: .int64),
      mask: mask.map { Tensor($0, shape: [2, 3]) }, lengths: [2, 1], targets: [0, 0], experiences: [0, 0],
      candidates: [0, 0], candidateSets: [[0]])
    return EncoderClassifier(Echo(), pooling: pooling, dropout: 0, heads: scope).features(batch, .evaluation).values()
  }

  @Test func theMeanIsOverRealTokens() {
    #expect(features(.mean, mask: [1, 1, 0, 1, 0, 0]) == [3, 1])
    #expect(features(.mean, mask: nil) == [5, 19.0 / 3])
  }

  @Test func theFirstTokenStandsForTheText() {
    #expect(features(.cls, mask: [1, 1, 0, 1, 0, 0]) == [2, 1])
  }
}
