import CTorch

// What a decoder does for one new token a row: on the CPU, in float32 or bfloat16, without gradients.
extension Tensor {
  /// Attention of one query a row to the tokens in a cache, the new one included.
  /// - Parameters:
  ///   - q: `[rows, heads, width]`.
  ///   - new: key and value `[rows, stored heads, width]`, written to the caches as the last of the `length` tokens; nil
  ///     where nothing is new.
  ///   - angles: cosines and sines `[rows or 1, width]` that rotate query and key; nil for none.
  ///   - keys: cache `[rows, stored heads, capacity, width]`, each stored head serving as many queries.
  ///   - values: likewise.
  ///   - length: tokens that count.
  ///   - mask: added to the scores, broadcast to `[rows, heads, 1, length]`; in the dtype of `q`.
  ///   - scale: multiplies the scores.
  /// - Returns: `[rows, heads, width]`.
  public static func attentionStep(
    _ q: Tensor, new: (key: Tensor, value: Tensor)?, angles: (cos: Tensor, sin: Tensor)?, keys: Tensor,
    values: Tensor, length: Int, mask: Tensor?, scale: Double
  ) -> Tensor {
    let inputs = [q, new?.key, new?.value, angles?.cos, angles?.sin, keys, values, mask]
    return make("attentionStep", inputs.compactMap(\.self)) {
      ct_attention_step(
        q.pointer, new?.key.pointer, new?.value.pointer, angles?.cos.pointer, angles?.sin.pointer, keys.pointer,
        values.pointer, Int64(length), mask?.pointer, scale, $0)
    }
  }

  /// This weight `[outputs, inputs]`, copied to the order in which products with `rows` rows read it; nil where the
  /// device or this build of libtorch has no such order.
  public func packed(rows: Int) -> Tensor? {
    guard ct_can_pack(pointer) else { return nil }
    return make("packed", [self]) { ct_pack_weight(pointer, Int64(rows), $0) }
  }

  /// x·weightᵀ + bias with a weight from `packed`.
  public func linear(packed weight: Tensor, _ bias: Tensor?) -> Tensor {
    make("linear", [self, weight] + (bias.map { [$0] } ?? [])) {
      ct_linear_packed(pointer, weight.pointer, bias?.pointer, $0)
    }
  }
}
