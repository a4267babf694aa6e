import CTorch

extension Tensor {
  /// The same values in another shape; one size may be −1.
  public func reshaped(_ shape: Int...) -> Tensor { reshaped(shape) }
  /// The same values in another shape; one size may be −1. Traps where the number of elements differs.
  public func reshaped(_ shape: [Int]) -> Tensor {
    make("reshaped\(shape)", [self]) { ct_reshape(pointer, shape.int64, Int32(shape.count), $0) }
  }
  /// Dimensions in a new order.
  public func permuted(_ order: Int...) -> Tensor {
    make("permuted\(order)", [self]) { ct_permute(pointer, order.int64, Int32(order.count), $0) }
  }
  /// Broadcasts dimensions of size 1; −1 keeps a size.
  public func expanded(_ shape: [Int]) -> Tensor {
    make("expanded\(shape)", [self]) { ct_expand(pointer, shape.int64, Int32(shape.count), $0) }
  }
  /// Dimensions `a` and `b` exchanged, sharing memory.
  public func transposed(_ a: Int = -2, _ b: Int = -1) -> Tensor {
    make("transposed(\(a), \(b))", [self]) { ct_transpose(pointer, Int32(a), Int32(b), $0) }
  }
  /// The transpose of a matrix.
  public var t: Tensor { transposed() }
  /// A dimension of size 1 before `dimension`.
  public func unsqueezed(_ dimension: Int) -> Tensor {
    make("unsqueezed(\(dimension))", [self]) { ct_unsqueeze(pointer, Int32(dimension), $0) }
  }
  /// Without `dimension`, where its size is 1; else the tensor as it is.
  public func squeezed(_ dimension: Int) -> Tensor {
    make("squeezed(\(dimension))", [self]) { ct_squeeze(pointer, Int32(dimension), $0) }
  }
  /// The slice `range` of `dimension`, sharing memory.
  public func narrowed(_ dimension: Int, _ range: Range<Int>) -> Tensor {
    make("narrowed(\(dimension), \(range))", [self]) {
      ct_narrow(pointer, Int32(dimension), Int64(range.lowerBound), Int64(range.count), $0)
    }
  }
  /// One index of `dimension`, which disappears.
  public func at(_ dimension: Int, _ index: Int) -> Tensor {
    make("at(\(dimension), \(index))", [self]) { ct_select(pointer, Int32(dimension), Int64(index), $0) }
  }
  /// The slices of `dimension` that `index` (int64, one dimension) names.
  public func gathered(_ dimension: Int, _ index: Tensor) -> Tensor {
    make("gathered", [self, index]) { ct_index_select(pointer, Int32(dimension), index.pointer, $0) }
  }
  /// out[…, i, …] = self[…, index[…, i, …], …] along `dimension`.
  public func taken(_ dimension: Int, _ index: Tensor) -> Tensor {
    make("taken", [self, index]) { ct_gather(pointer, Int32(dimension), index.pointer, $0) }
  }
  /// int64 classes `[…]` to int64 `[…, classes]`.
  public func oneHot(_ classes: Int) -> Tensor { make("oneHot", [self]) { ct_one_hot(pointer, Int64(classes), $0) } }

  /// One behind another along `dimension`; all other sizes must agree.
  public static func concatenated(_ tensors: [Tensor], _ dimension: Int = 0) -> Tensor {
    make("concatenated", tensors) {
      ct_cat(tensors.map { Optional($0.pointer) }, Int32(tensors.count), Int32(dimension), $0)
    }
  }
  /// Side by side along a new `dimension`; all shapes must agree.
  public static func stacked(_ tensors: [Tensor], _ dimension: Int = 0) -> Tensor {
    make("stacked", tensors) {
      ct_stack(tensors.map { Optional($0.pointer) }, Int32(tensors.count), Int32(dimension), $0)
    }
  }
}
