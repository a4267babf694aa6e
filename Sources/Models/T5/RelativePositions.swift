import Foundation
import NN
import Torch

/// T5's relative position bias: one learned number a head for each bucket of distances (Raffel et al. 2020, §2.1).
final class RelativePositions {
  private let weight: Embedding
  /// int64: the bucket of each distance from −maxDistance to maxDistance; beyond these, buckets stay the same.
  private let buckets: Tensor
  private let maxDistance: Int

  init(_ c: T5.Configuration, isBidirectional: Bool, in scope: Scope) {
    maxDistance = c.maxDistance
    let found = (-c.maxDistance...c.maxDistance).map {
      Int64(Self.bucket($0, count: c.positionBuckets, maxDistance: c.maxDistance, isBidirectional: isBidirectional))
    }
    buckets = Tensor(found, device: scope.device)
    let initializer = Initializer.normal(deviation: 1 / Double(c.width).squareRoot())
    weight = Embedding(
      c.positionBuckets, c.attentionHeads, initializer: initializer, in: scope / "relative_attention_bias")
  }

  /// The bias of queries at some positions (int64 `[new]`) on keys at others (int64 `[total]`): `[1, heads, new, total]`.
  func callAsFunction(queries: Tensor, keys: Tensor) -> Tensor {
    let distances = (keys.unsqueezed(0) - queries.unsqueezed(1)).clamped(-Double(maxDistance)...Double(maxDistance))
    let found = buckets.gathered(0, (distances + Double(maxDistance)).to(.int64).reshaped(-1))
    return weight(found.reshaped(queries.size(0), keys.size(0))).permuted(2, 0, 1).unsqueezed(0)
  }

  /// The bucket of a distance (key − query): one each up to half of them, then logarithmically wider ones.
  /// Float arithmetic, as in the reference, so that distances at an edge fall on the same side.
  static func bucket(_ distance: Int, count: Int, maxDistance: Int, isBidirectional: Bool) -> Int {
    let side = isBidirectional ? count / 2 : count
    let offset = isBidirectional && distance > 0 ? side : 0
    let length = isBidirectional ? abs(distance) : max(0, -distance)
    let exact = side / 2
    if length < exact { return offset + length }
    let range = Float(log(Double(maxDistance) / Double(exact)))
    let wide = logf(Float(length) / Float(exact)) / range * Float(side - exact)
    return offset + min(side - 1, exact + Int(wide))
  }
}
