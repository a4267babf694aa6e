import CTorch

// What layers and losses are made of.
extension Tensor {
  /// Matrix product; batched over leading dimensions.
  public func matmul(_ other: Tensor) -> Tensor { binary("matmul", other, ct_matmul) }

  /// x·weightᵀ + bias. `self [..., inputs]`, `weight [outputs, inputs]`, `bias [outputs]` → `[..., outputs]`.
  public func linear(_ weight: Tensor, _ bias: Tensor? = nil) -> Tensor {
    make("linear", [self, weight] + (bias.map { [$0] } ?? [])) {
      ct_linear(pointer, weight.pointer, bias?.pointer, $0)
    }
  }

  /// Rows of `self [rows, width]` at `index` (int64 `[...]`) → `[..., width]`.
  public func embedding(_ index: Tensor) -> Tensor {
    make("embedding", [self, index]) { ct_embedding(pointer, index.pointer, $0) }
  }

  /// (x − mean)/√(variance + epsilon)·weight + bias over the last dimension; statistics in float32.
  public func layerNorm(_ weight: Tensor, _ bias: Tensor?, epsilon: Double) -> Tensor {
    make("layerNorm", [self, weight] + (bias.map { [$0] } ?? [])) {
      ct_layer_norm(pointer, weight.pointer, bias?.pointer, epsilon, $0)
    }
  }

  /// x / √(mean(x²) + epsilon) · weight over the last dimension; statistics in float32.
  public func rmsNorm(_ weight: Tensor, epsilon: Double) -> Tensor {
    make("rmsNorm", [self, weight]) { ct_rms_norm(pointer, weight.pointer, epsilon, $0) }
  }

  public func softmax(_ dimension: Int = -1) -> Tensor {
    make("softmax", [self]) { ct_softmax(pointer, Int32(dimension), $0) }
  }
  public func logSoftmax(_ dimension: Int = -1) -> Tensor {
    make("logSoftmax", [self]) { ct_log_softmax(pointer, Int32(dimension), $0) }
  }

  /// How a loss is collected over a batch.
  public enum Reduction: Int32, Sendable { case none = 0, mean = 1, sum = 2 }

  /// −log softmax(self)[target]. `self [rows, classes]`, `targets` int64 `[rows]`; rows whose target is
  /// `ignoring` do not count.
  public func crossEntropy(_ targets: Tensor, ignoring: Int = -100, reduction: Reduction = .mean) -> Tensor {
    make("crossEntropy", [self, targets]) {
      ct_cross_entropy(pointer, targets.pointer, Int64(ignoring), reduction.rawValue, $0)
    }
  }

  /// Zeroes elements with `probability` and scales the others by 1/(1−probability); draws one key from `generator`.
  public func dropout(_ probability: Double, _ generator: inout Generator) -> Tensor {
    guard probability > 0 else { return self }
    let key = generator.nextKey()
    return make("dropout", [self]) { ct_dropout(pointer, probability, key.seed, key.counter, $0) }
  }

  /// softmax(q·kᵀ·scale + mask)·v. q, k, v `[batch, heads, length, width]`; `mask` broadcasts to
  /// `[batch, heads, queries, keys]` and is added to the scores (0 keeps, −inf drops).
  public static func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor?, scale: Double,
    dropout: Double = 0, generator: inout Generator
  ) -> Tensor {
    let key = dropout > 0 ? generator.nextKey() : Generator.Key(seed: 0, counter: 0)
    return make("attention", [q, k, v] + (mask.map { [$0] } ?? [])) {
      ct_attention(q.pointer, k.pointer, v.pointer, mask?.pointer, scale, dropout, key.seed, key.counter, $0)
    }
  }

  /// Thin singular value decomposition: self = u·diag(s)·vh. Float32 or float64.
  public func singularValues() -> (u: Tensor, s: Tensor, vh: Tensor) {
    var s: OpaquePointer?, vh: OpaquePointer?
    let u = make("singularValues", [self]) { ct_svd(pointer, $0, &s, &vh) }
    guard let s, let vh else { fatalError("singularValues: the shim gave one tensor of three") }
    return (u, Tensor(owning: s), Tensor(owning: vh))
  }
  /// Thin QR factorisation.
  public func qr() -> (q: Tensor, r: Tensor) { pair("qr") { ct_qr(pointer, $0, $1) } }
  /// x of self·x = b.
  public func solved(_ b: Tensor) -> Tensor { binary("solved", b, ct_solve) }
}
