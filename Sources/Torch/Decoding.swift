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

  /// This weight `[outputs, inputs]`, copied to the order in which products with few rows read it; nil on other devices
  /// than the CPU and in other dtypes than float32 and bfloat16.
  public func packed() -> Tensor? {
    guard ct_can_pack(pointer) else { return nil }
    return make("packed", [self]) { ct_pack_weight(pointer, $0) }
  }

  /// x·weightᵀ + bias for several weights at once: the threads divide their rows among them.
  /// - Parameters:
  ///   - layers: each weight as `packed()` gave it, how many outputs it has, and its bias `[outputs]`; all of one width and
  ///     of the dtype of x.
  ///   - inFloat32: whether the sums stay float32, and are not rounded to the dtype of x.
  /// - Returns: `[..., outputs]` for each.
  public func linear(
    packed layers: [(weight: Tensor, outputs: Int, bias: Tensor?)], inFloat32: Bool = false
  ) -> [Tensor] {
    let weights = layers.map { Optional($0.weight.pointer) }, biases = layers.map { $0.bias?.pointer }
    let outputs = layers.map { Int64($0.outputs) }
    var out = [OpaquePointer?](repeating: nil, count: layers.count)
    perform("linear", [self] + layers.flatMap { [$0.weight] + ($0.bias.map { [$0] } ?? []) }) {
      ct_linear_few_rows(pointer, weights, biases, outputs, Int32(layers.count), inFloat32, &out)
    }
    return out.compactMap { $0.map(Tensor.init(owning:)) }
  }
}
