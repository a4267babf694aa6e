import CTorch

extension Tensor {
  /// Sum over `dimensions` (all when empty), which stay with size 1 where `keep` says so. Of bool and integers int64.
  public func sum(_ dimensions: Int..., keep: Bool = false) -> Tensor {
    make("sum\(dimensions)", [self]) { ct_sum(pointer, dimensions.int64, Int32(dimensions.count), keep, $0) }
  }
  /// Mean over `dimensions` (all when empty) of a floating-point tensor, as `sum`.
  public func mean(_ dimensions: Int..., keep: Bool = false) -> Tensor {
    make("mean\(dimensions)", [self]) { ct_mean(pointer, dimensions.int64, Int32(dimensions.count), keep, $0) }
  }
  /// (Σ|x|^p)^(1/p) over `dimensions` (all when empty), accumulated and returned in float32.
  public func norm(_ p: Double = 2, over dimensions: [Int] = [], keep: Bool = false) -> Tensor {
    make("norm\(dimensions)", [self]) { ct_norm(pointer, p, dimensions.int64, Int32(dimensions.count), keep, $0) }
  }
  /// The largest along `dimension`, which stays with size 1 where `keep` says so; NaN where one is.
  public func max(_ dimension: Int, keep: Bool = false) -> Tensor {
    make("max", [self]) { ct_amax(pointer, Int32(dimension), keep, $0) }
  }
  /// The smallest along `dimension`, as `max`.
  public func min(_ dimension: Int, keep: Bool = false) -> Tensor {
    make("min", [self]) { ct_amin(pointer, Int32(dimension), keep, $0) }
  }
  /// Index (int64) of the largest element along `dimension`; the first on ties.
  public func argmax(_ dimension: Int) -> Tensor { make("argmax", [self]) { ct_argmax(pointer, Int32(dimension), $0) } }
  /// log Σ e^x along `dimension` of a floating-point tensor, without overflow.
  public func logSumExp(_ dimension: Int, keep: Bool = false) -> Tensor {
    make("logSumExp", [self]) { ct_logsumexp(pointer, Int32(dimension), keep, $0) }
  }
  /// Sums of the elements up to each along `dimension`, in the same shape. Of bool and integers int64.
  public func cumulativeSum(_ dimension: Int) -> Tensor {
    make("cumulativeSum", [self]) { ct_cumsum(pointer, Int32(dimension), $0) }
  }
  /// Whether every element is true (or non-zero). Waits for the device.
  public func isAllTrue() -> Bool { make("all", [self]) { ct_all(pointer, $0) }.item() != 0 }

  /// Stable sort along `dimension`: values and int64 indices.
  public func sorted(_ dimension: Int = -1, descending: Bool = false) -> (values: Tensor, indices: Tensor) {
    pair("sorted") { ct_sort(pointer, Int32(dimension), descending, $0, $1) }
  }
  /// The `k` largest along `dimension`, largest first: values and int64 indices.
  public func top(_ k: Int, dimension: Int = -1) -> (values: Tensor, indices: Tensor) {
    pair("top(\(k))") { ct_topk(pointer, Int64(k), Int32(dimension), $0, $1) }
  }

  func pair(
    _ name: String,
    _ body: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<OpaquePointer?>) -> Int32
  ) -> (Tensor, Tensor) {
    var second: OpaquePointer?
    let first = make(name, [self]) { body($0, &second) }
    guard let second else { fatalError("\(name): the shim gave one tensor of two") }
    return (first, Tensor(owning: second))
  }
}
