import Foundation
import NN
import Torch

/// T5's relative position bias: one learned number a head for each bucket of distances (Raffel et al. 2020, §2.1).
final class RelativePositions {
  private let weight: Embedding
  private let buckets: Int
  private let maxDistance: Int
  private let isBidirectional: Bool

  init(_ c: T5.Configuration, isBidirectional: Bool, in scope: Scope) {
    (buckets, maxDistance, self.isBidirectional) = (c.positionBuckets, c.maxDistance, isBidirectional)
    let initializer = Initializer.normal(deviation: 1 / Double(c.width).squareRoot())
    weight = Embedding(buckets, c.attentionHeads, initializer: initializer, in: scope / "relative_attention_bias")
  }

  /// The bias of the last `new` of `total` queries on `total` keys: `[1, heads, new, total]`.
  func callAsFunction(new: Int, total: Int, device: Device) -> Tensor {
    // Distances key − query go from 1 − total to new − 1; each is looked up once, then laid out.
    let found = (1 - total..<new).map {
      Int64(Self.bucket($0, count: buckets, maxDistance: maxDistance, isBidirectional: isBidirectional))
    }
    let byDistance = weight(Tensor(found, device: device))
    let queries = Tensor.arange(total - new..<total, device: device).unsqueezed(1)
    let index = Tensor.arange(total - 1..<2 * total - 1, device: device).unsqueezed(0) - queries
    return byDistance.embedding(index).permuted(2, 0, 1).unsqueezed(0)
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
