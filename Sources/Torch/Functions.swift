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
      ct_layer_norm(pointer, nil, weight.pointer, bias?.pointer, epsilon, 0, 0, 0, $0)
    }
  }

  /// The same of s = x + dropout(`added`), both `[..., width]`; draws one key from `generator` where `dropout` is not 0.
  public func layerNorm(
    adding added: Tensor, dropout: Double = 0, _ generator: inout Generator, _ weight: Tensor, _ bias: Tensor?,
    epsilon: Double
  ) -> Tensor {
    let key = dropout > 0 ? generator.nextKey() : Generator.Key(seed: 0, counter: 0)
    return make("layerNorm", [self, added, weight] + (bias.map { [$0] } ?? [])) {
      ct_layer_norm(
        pointer, added.pointer, weight.pointer, bias?.pointer, epsilon, dropout, key.seed, key.counter, $0)
    }
  }

  /// x / √(mean(x²) + epsilon) · weight over the last dimension; statistics in float32.
  public func rmsNorm(_ weight: Tensor, epsilon: Double) -> Tensor {
    make("rmsNorm", [self, weight]) { ct_rms_norm(pointer, weight.pointer, epsilon, $0) }
  }

  /// The halves a, b of the last dimension rotated against each other: (a, b)·cos + (−b, a)·sin.
  /// `self [rows, length, heads, width]`, `width` even; `cos` and `sin [rows or 1, length, 1, width]` of the same dtype,
  /// taken as constants.
  public func rotated(cos: Tensor, sin: Tensor) -> Tensor {
    make("rotated", [self, cos, sin]) { ct_rotate(pointer, cos.pointer, sin.pointer, $0) }
  }

  /// e^x / Σ e^x along `dimension`, in the same shape and dtype.
  public func softmax(_ dimension: Int = -1) -> Tensor {
    make("softmax", [self]) { ct_softmax(pointer, Int32(dimension), $0) }
  }
  /// x − log Σ e^x along `dimension`, in the same shape and dtype.
  public func logSoftmax(_ dimension: Int = -1) -> Tensor {
    make("logSoftmax", [self]) { ct_log_softmax(pointer, Int32(dimension), $0) }
  }

  /// How a loss is collected over a batch.
  public enum Reduction: Int32, Sendable { case none = 0, mean = 1, sum = 2 }

  /// −log softmax(self)[target]. `self [rows, classes]`, `targets` int64 `[rows]`; rows whose target is
  /// `ignoring` do not count. Of scores in sixteen bits the loss is float32.
  public func crossEntropy(_ targets: Tensor, ignoring: Int = -100, reduction: Reduction = .mean) -> Tensor {
    make("crossEntropy", [self, targets]) {
      ct_cross_entropy(pointer, targets.pointer, Int64(ignoring), reduction.rawValue, $0)
    }
  }

  /// x·weightᵀ + bias as in `linear`, with a gradient in the weight's kept rows only.
  public func linear(_ weight: Tensor, _ bias: Tensor?, keptRows: KeptRows) -> Tensor {
    make("linear", [self, weight, keptRows.indices] + (bias.map { [$0] } ?? [])) {
      ct_linear_kept_rows(pointer, weight.pointer, bias?.pointer, keptRows.indices.pointer, $0)
    }
  }

  /// self + scale·(x·aᵀ)·bᵀ, and x·aᵀ, which no gradient passes through; sums in float32.
  /// - Parameters:
  ///   - x: `[..., inputs]`, in front of which `self [..., outputs]` has the same dimensions.
  ///   - a: `[rank, inputs]`.
  ///   - b: `[outputs, rank]`.
  ///   - scale: multiplies the product of the two.
  /// - Returns: the sum in the shape and dtype of `self`, and float32 `[rows, rank]` of all rows behind one another.
  public func addingLowRank(_ x: Tensor, _ a: Tensor, _ b: Tensor, scale: Double) -> (sum: Tensor, low: Tensor) {
    var low: OpaquePointer?
    let sum = make("addingLowRank", [self, x, a, b]) {
      ct_low_rank(x.pointer, pointer, a.pointer, b.pointer, scale, $0, &low)
    }
    guard let low else { fatalError("addingLowRank: the shim gave one tensor of two") }
    return (sum, Tensor(owning: low))
  }

  /// Σ|x| of each column of a matrix: `[n, columns]` → float32 `[columns]`, without gradients.
  public func columnMagnitudes() -> Tensor { make("columnMagnitudes", [self]) { ct_column_magnitudes(pointer, $0) } }

  /// Zeroes elements with `probability` and scales the others by 1/(1−probability); draws one key from `generator`.
  public func dropout(_ probability: Double, _ generator: inout Generator) -> Tensor {
    guard probability > 0 else { return self }
    let key = generator.nextKey()
    return make("dropout", [self]) { ct_dropout(pointer, probability, key.seed, key.counter, $0) }
  }

  /// softmax(q·kᵀ·scale + mask)·v. q, k, v `[batch, heads, length, width]`; `mask` broadcasts to
  /// `[batch, heads, queries, keys]` and is added to the scores (0 keeps, −inf drops). `isCausal`, in place of a mask: a
  /// query sees the keys up to its own. On accelerators by libtorch's fused kernels (flash attention where there is no
  /// mask), whose dropout draws in its own way.
  public static func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor?, isCausal: Bool = false, scale: Double,
    dropout: Double = 0, generator: inout Generator
  ) -> Tensor {
    attention(
      q, k, v, mask: mask, isCausal: isCausal, isFused: q.device.runsBehind, scale: scale, dropout: dropout,
      generator: &generator)
  }

  static func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor?, isCausal: Bool, isFused: Bool, scale: Double,
    dropout: Double, generator: inout Generator
  ) -> Tensor {
    let key = dropout > 0 ? generator.nextKey() : Generator.Key(seed: 0, counter: 0)
    return make("attention", [q, k, v] + (mask.map { [$0] } ?? [])) {
      ct_attention(
        q.pointer, k.pointer, v.pointer, mask?.pointer, isCausal, isFused, scale, dropout, key.seed, key.counter, $0)
    }
  }

  /// Attention of texts that stand behind one another, each to its own keys only, without matrices of scores between
  /// the passes; on the CPU, in float32 or bfloat16.
  /// - Parameters:
  ///   - q: `[queries, heads, width]`.
  ///   - k: `[keys, stored heads, width]`, each stored head serving as many queries.
  ///   - v: likewise.
  ///   - spans: where the texts are.
  ///   - bias: added to the scores of every text's first positions: `[heads, longest queries, longest keys]` or larger.
  ///   - scale: multiplies the products of queries and keys.
  ///   - dropout: probability that a key does not count for a query; draws one key from `generator`.
  ///   - generator: of the dropout.
  /// - Returns: `[queries, heads, width]`.
  public static func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, spans: Spans, bias: Tensor? = nil, scale: Double, dropout: Double = 0,
    generator: inout Generator
  ) -> Tensor {
    let key = dropout > 0 ? generator.nextKey() : Generator.Key(seed: 0, counter: 0)
    return make("attention", [q, k, v] + (bias.map { [$0] } ?? [])) { out in
      spans.queries.withUnsafeBufferPointer { queries in
        spans.keys.withUnsafeBufferPointer { keys in
          var places = ct_spans(
            queries: queries.baseAddress, keys: keys.baseAddress, count: Int32(spans.count),
            is_causal: spans.isCausal, window: Int64(spans.window ?? 0))
          return ct_attention_spans(
            q.pointer, k.pointer, v.pointer, bias?.pointer, &places, scale, dropout, key.seed, key.counter, out)
        }
      }
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

/// Texts that stand behind one another.
public struct Spans: Sendable, Equatable {
  /// Where the queries of each text begin, and where the last text's end.
  public let queries: [Int64]
  /// The same of the keys.
  public let keys: [Int64]
  /// Whether a query sees only the keys up to its own; the last query sees all.
  public var isCausal: Bool
  /// How many keys up to its own a query sees at most; nil for all.
  public var window: Int?

  /// Texts whose tokens read each other, or, with `keys`, those of as many other texts.
  public init(_ queries: [Int64], keys: [Int64]? = nil, isCausal: Bool = false, window: Int? = nil) {
    precondition(
      queries.count > 1 && queries.count == (keys ?? queries).count,
      "Spans: \(queries.count) starts of queries, \((keys ?? queries).count) of keys")
    (self.queries, self.keys, self.isCausal, self.window) = (queries, keys ?? queries, isCausal, window)
  }

  public var count: Int { queries.count - 1 }
}

/// Which rows of a weight get a gradient: read by a backward pass, so that they may be named after the forward pass.
public final class KeptRows {
  let indices: Tensor

  /// All rows, on the device of the weight.
  public init(device: Device) { indices = .zeros([0], dtype: .int64, device: device) }

  /// The rows named, int64 `[k]`; nil where none are, and all get a gradient.
  public var chosen: Tensor? { indices.count > 0 ? indices : nil }

  /// Names the rows (int64 `[k]`).
  public func keep(_ rows: Tensor) {
    precondition(rows.dtype == .int64 && rows.rank == 1, "KeptRows: \(rows.dtype) \(rows.shape) are no rows")
    perform("keep", [rows]) { ct_take(indices.pointer, rows.pointer) }
  }

  /// Goes back to all rows.
  public func keepAll() { keep(.zeros([0], dtype: .int64, device: indices.device)) }
}
