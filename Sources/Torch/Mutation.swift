import CTorch

// In place, on values outside any graph: optimizer states, running sums, parameters under `withoutGradient`.
extension Tensor {
  /// self ← self + scale·other.
  public func add(_ other: Tensor, scale: Double = 1) {
    perform("add", [self, other]) { ct_add_(pointer, other.pointer, scale) }
  }
  /// self ← self + scale·x·y, without a temporary.
  public func add(_ x: Tensor, times y: Tensor, scale: Double = 1) {
    perform("add", [self, x, y]) { ct_addcmul_(pointer, x.pointer, y.pointer, scale) }
  }
  /// self ← self·other.
  public func multiply(by other: Tensor) {
    perform("multiply", [self, other]) { ct_mul_(pointer, other.pointer) }
  }
  public func multiply(by scale: Double) { perform("multiply", [self]) { ct_mul_scalar_(pointer, scale) } }
  /// self ← other, converted to this tensor's dtype and device; `other` must broadcast to its shape.
  public func copy(from other: Tensor) { perform("copy", [self, other]) { ct_copy_(pointer, other.pointer) } }
  public func fill(_ value: Double) { perform("fill", [self]) { ct_fill_(pointer, value) } }
  /// Writes `value` into the slices of dimension `dimension` that `index` (int64) names.
  public func fill(_ value: Double, at index: Tensor, dimension: Int) {
    perform("fill", [self, index]) { ct_index_fill_(pointer, Int32(dimension), index.pointer, value) }
  }
  /// Writes the rows of `other [k, ...]` over the rows of dimension 0 that `index` (int64 `[k]`) names.
  public func copy(from other: Tensor, at index: Tensor) {
    perform("copy", [self, other, index]) { ct_index_copy_(pointer, 0, index.pointer, other.pointer) }
  }
}
