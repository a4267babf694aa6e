public import NN
public import Torch

/// A decoder that predicts the next token.
public protocol CausalLanguageModel: AnyObject {
  /// Size of the hidden states.
  var width: Int { get }
  /// Number of tokens it can predict.
  var vocabularySize: Int { get }
  /// Longest sequence, in tokens.
  var maxLength: Int { get }
  /// Hidden states of `tokens`.
  /// - Parameters:
  ///   - tokens: int64 `[rows, new]`.
  ///   - mask: float32 `[rows, read + new]`, 1 for a token and 0 for padding (on either side), over what the cache holds
  ///     and the new tokens; nil where nothing is padded.
  ///   - documents: where rows hold several, which do not see each other; then there is no cache.
  ///   - cache: what was read before; the new tokens are added to it.
  ///   - mode: training or evaluation.
  /// - Returns: `[rows, new, width]` in the compute dtype.
  func hidden(
    _ tokens: Tensor, mask: Tensor?, documents: PackedDocuments?, cache: KeyValueCache?, _ mode: Mode
  ) -> Tensor
  /// `[..., width]` → `[..., vocabularySize]`: scores of the token that follows.
  func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor
}

extension CausalLanguageModel {
  /// Hidden states of rows that are one text each.
  public func hidden(_ tokens: Tensor, mask: Tensor?, cache: KeyValueCache?, _ mode: Mode) -> Tensor {
    hidden(tokens, mask: mask, documents: nil, cache: cache, mode)
  }
}

/// An encoder that reads a text and a decoder that writes one.
public protocol SequenceToSequenceModel: AnyObject {
  /// Size of the hidden states.
  var width: Int { get }
  /// Number of tokens it can predict.
  var vocabularySize: Int { get }
  /// Longest sequence of either side, in tokens.
  var maxLength: Int { get }
  /// The token that the decoder reads first.
  var startToken: Int { get }
  /// Hidden states of the text.
  /// - Parameters:
  ///   - tokens: int64 `[rows, length]`.
  ///   - mask: float32 `[rows, length]`, 1 for a token and 0 for padding (on either side); nil where nothing is padded.
  ///   - mode: training or evaluation.
  /// - Returns: `[rows, prompt + length, width]` in the compute dtype: the states of a soft prompt, where there is one,
  ///   stand before the text's, and the decoder reads them too.
  func encode(_ tokens: Tensor, mask: Tensor?, _ mode: Mode) -> Tensor
  /// Hidden states of what is written, each token seeing those before it and the text.
  /// - Parameters:
  ///   - tokens: int64 `[rows, new]`, beginning with `startToken`; padding, if any, stands on the right.
  ///   - encoded: what `encode` gave, `[rows, prompt + length, width]`.
  ///   - mask: the text's mask `[rows, length]`.
  ///   - cache: what was written before; the new tokens are added to it.
  ///   - mode: training or evaluation.
  /// - Returns: `[rows, new, width]` in the compute dtype.
  func decode(_ tokens: Tensor, encoded: Tensor, mask: Tensor?, cache: KeyValueCache?, _ mode: Mode) -> Tensor
  /// `[..., width]` → `[..., vocabularySize]`: scores of the token that follows.
  func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor
}

/// An encoder that predicts hidden tokens.
public protocol MaskedLanguageModel: TextEncoder {
  /// Number of tokens it can predict.
  var vocabularySize: Int { get }
  /// `[..., width]` → `[..., vocabularySize]`: scores of the token at each of these positions.
  func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor
}

extension MaskedLanguageModel {
  /// Scores at chosen positions only.
  /// - Parameters:
  ///   - hidden: `[rows, length, width]`.
  ///   - positions: int64 `[n]`, row · length + position.
  ///   - mode: training or evaluation.
  /// - Returns: `[n, vocabularySize]`.
  public func logits(_ hidden: Tensor, at positions: Tensor, _ mode: Mode) -> Tensor {
    logits(hidden.reshaped(-1, width).gathered(0, positions), mode)
  }
}

/// Masks added to attention scores: 0 keeps, a very negative number drops.
enum AttentionMask {
  /// `padding` float32 `[rows, keys]`, 1 for a token, → `[rows, 1, 1, keys]`.
  static func padding(_ padding: Tensor, dtype: DType) -> Tensor {
    ((padding - 1) * 1e30).to(dtype).reshaped(padding.size(0), 1, 1, padding.size(1))
  }

  /// Each token sees those of its own document.
  /// - Returns: `[rows, 1, length, length]`.
  static func documents(_ documents: PackedDocuments, dtype: DType) -> Tensor {
    let isSeen = documents.indices.unsqueezed(2) .== documents.indices.unsqueezed(1)
    return ((isSeen.to(.float32) - 1) * 1e30).to(dtype).unsqueezed(1)
  }

  /// Each of the last `new` of `total` tokens sees itself, those before it (the last `window` of them), and no padding.
  /// - Returns: `[rows or 1, 1, new, total]`.
  static func causal(
    new: Int, total: Int, window: Int?, padding: Tensor?, documents: PackedDocuments? = nil, dtype: DType,
    device: Device
  ) -> Tensor {
    let columns = Tensor.arange(0..<total, device: device).unsqueezed(0)
    var isSeen = (columns .<= columns.narrowed(1, total - new..<total).transposed(0, 1)).unsqueezed(0)
    if let window {
      // Distances count tokens: padding may stand between a prompt and its answer.
      let places = padding.map { $0.cumulativeSum(1) } ?? columns
      let queries = places.narrowed(1, total - new..<total).unsqueezed(2)
      isSeen = isSeen .& (places.unsqueezed(1) .> queries - Double(window))
    }
    if let documents {
      isSeen = isSeen .& (documents.indices.unsqueezed(2) .== documents.indices.unsqueezed(1))
    }
    if let padding { isSeen = isSeen .& (padding .> Tensor.zeros([], device: device)).unsqueezed(1) }
    return ((isSeen.to(.float32) - 1) * 1e30).to(dtype).unsqueezed(1)
  }

  /// `mask [rows or 1, 1, new, total]` with `count` more keys in front, which all see.
  static func behind(_ count: Int, _ mask: Tensor) -> Tensor {
    guard count > 0 else { return mask }
    let seen = Tensor.zeros([mask.size(0), 1, mask.size(2), count], dtype: mask.dtype, device: mask.device)
    return .concatenated([seen, mask], 3)
  }
}
