import Models
import NN
import TestSupport
import Testing
import Torch

/// The operations of a decoding step against those they stand for.
@Suite struct GenerationStepTests {
  @Test(arguments: [DType.float32, .bfloat16]) func aStepEqualsRotationAndAttention(_ dtype: DType) {
    var random = Generator(seed: 1)
    func normal(_ shape: [Int]) -> Tensor { Tensor.normal(shape, &random).to(dtype) }
    let (rows, heads, stored, width, capacity, length) = (3, 4, 2, 22, 9, 6)
    let q = normal([rows, heads, width]), key = normal([rows, stored, width]), value = normal([rows, stored, width])
    let keys = normal([rows, stored, capacity, width]), values = normal([rows, stored, capacity, width])
    let angles = (cos: normal([rows, width]), sin: normal([rows, width]))
    let hidden = Tensor([Float(0), -1e30, 0, 0, 0, 0], shape: [1, 1, 1, length]).to(dtype)
    let mask = hidden + normal([1, heads, 1, length])
    let expected = inference { () -> Tensor in
      func all(_ cache: Tensor, _ new: Tensor) -> Tensor {
        let whole = Tensor.concatenated([cache.narrowed(2, 0..<length - 1), new.unsqueezed(2)], 2)
        return whole.unsqueezed(2).expanded([rows, stored, 2, length, width]).reshaped(rows, heads, length, width)
      }
      let turn = (cos: angles.cos.reshaped(rows, 1, 1, width), sin: angles.sin.reshaped(rows, 1, 1, width))
      func rotated(_ x: Tensor) -> Tensor { RotaryEmbedding.rotate(x.unsqueezed(2), turn).squeezed(2) }
      return Tensor.attention(
        rotated(q).unsqueezed(2), all(keys, rotated(key)), all(values, value), mask: mask, scale: 0.3,
        generator: &random
      ).squeezed(2)
    }
    let mixed = inference {
      Tensor.attentionStep(
        q, new: (key, value), angles: angles, keys: keys, values: values, length: length, mask: mask, scale: 0.3)
    }
    let tolerance = dtype == .float32 ? 1e-5 : 0.05
    #expect(difference(mixed.to(.float32), expected.to(.float32), atol: tolerance) == nil)
    #expect(difference(values.at(2, length - 1).to(.float32), value.to(.float32), atol: 0) == nil)
  }

  @Test(arguments: [DType.float32, .bfloat16], [48, 37]) func packedWeightsGiveTheSameProducts(
    _ dtype: DType, inputs: Int
  ) throws {
    var random = Generator(seed: 2)
    let x = Tensor.normal([19, 1, inputs], &random).to(dtype), bias = Tensor.normal([40], &random).to(dtype)
    let weights = [40, 16, 700].map { Tensor.normal([$0, inputs], &random).to(dtype) }
    let layers = try inference {
      try weights.enumerated().map { try (#require($1.packed()), $1.size(0), $0 == 0 ? bias : nil) }
    }
    for rows in [1, 2, 3, 4, 5, 6, 7, 8, 9, 19] {
      let part = x.narrowed(0, 0..<rows)
      let products = inference { part.linear(packed: layers) }
      for (weight, product) in zip(weights, products) {
        let plain = part.linear(weight, weight.size(0) == 40 ? bias : nil)
        #expect(difference(product.to(.float32), plain.to(.float32), atol: 0.05, rtol: 0.01) == nil)
        if dtype == .float32 { #expect(difference(product, plain, atol: 1e-4) == nil) }
      }
    }
  }

  @Test func normalisingWithoutGradientsIsTheSame() {
    var random = Generator(seed: 3)
    let x = Tensor.normal([4, 5, 37], &random), weight = Tensor.normal([37], &random)
    let plain = inference { x.rmsNorm(weight, epsilon: 1e-5) }
    #expect(difference(plain, x.rmsNorm(weight, epsilon: 1e-5), atol: 1e-5) == nil)
    let half = inference { x.to(.bfloat16).rmsNorm(weight.to(.bfloat16), epsilon: 1e-5) }
    #expect(difference(half.to(.float32), plain, atol: 0.05) == nil)
  }
}
