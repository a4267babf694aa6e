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
  ///   - placement: where they stand, and what each sees of what the cache holds and of the new tokens.
  ///   - cache: what was read before; the new tokens are added to it.
  ///   - mode: training or evaluation.
  /// - Returns: `[rows, new, width]` in the compute dtype.
  func hidden(_ tokens: Tensor, _ placement: Placement, cache: KeyValueCache?, _ mode: Mode) -> Tensor
  /// `[..., width]` → `[..., vocabularySize]`: scores of the token that follows. In training in the compute dtype, otherwise
  /// float32.
  func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor
}

extension CausalLanguageModel {
  /// Hidden states `[rows, new, width]` of tokens that follow each other.
  /// - Parameters:
  ///   - tokens: int64 `[rows, new]`.
  ///   - mask: float32 `[rows, read + new]`, 1 for a token and 0 for padding (on either side), over what the cache holds
  ///     and the new tokens; nil where nothing is padded.
  ///   - cache: what was read before; the new tokens are added to it.
  ///   - mode: training or evaluation.
  public func hidden(_ tokens: Tensor, mask: Tensor?, cache: KeyValueCache?, _ mode: Mode) -> Tensor {
    let placement = Placement(following: cache?.length ?? 0, new: tokens.size(1), mask: mask, device: tokens.device)
    return hidden(tokens, placement, cache: cache, mode)
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
  ///   stand before the text's or behind them, and the decoder reads them too.
  func encode(_ tokens: Tensor, mask: Tensor?, _ mode: Mode) -> Tensor
  /// Hidden states of what is written.
  /// - Parameters:
  ///   - tokens: int64 `[rows, new]`.
  ///   - placement: where they stand, the same in all rows, and what each sees of what the cache holds and of the new
  ///     tokens.
  ///   - encoded: what `encode` gave, `[rows, prompt + length, width]`.
  ///   - mask: the text's mask `[rows, length]`.
  ///   - cache: what was written before; the new tokens are added to it.
  ///   - mode: training or evaluation.
  /// - Returns: `[rows, new, width]` in the compute dtype.
  func decode(
    _ tokens: Tensor, _ placement: Placement, encoded: Tensor, mask: Tensor?, cache: KeyValueCache?, _ mode: Mode
  ) -> Tensor
  /// `[..., width]` → `[..., vocabularySize]`: scores of the token that follows. In training in the compute dtype, otherwise
  /// float32.
  func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor
}

extension SequenceToSequenceModel {
  /// Hidden states `[rows, new, width]` of tokens that follow each other, each seeing those before it and the text.
  /// They begin with `startToken`; padding, if any, stands on the right.
  public func decode(
    _ tokens: Tensor, encoded: Tensor, mask: Tensor?, cache: KeyValueCache?, _ mode: Mode
  ) -> Tensor {
    let placement = Placement(following: cache?.length ?? 0, new: tokens.size(1), mask: nil, device: tokens.device)
    return decode(tokens, placement, encoded: encoded, mask: mask, cache: cache, mode)
  }
}

/// An encoder that predicts hidden tokens.
public protocol MaskedLanguageModel: TextEncoder {
  /// Number of tokens it can predict.
  var vocabularySize: Int { get }
  /// `[..., width]` → `[..., vocabularySize]`: scores of the token at each of these positions. In training in the compute dtype, otherwise
  /// float32.
  func logits(_ hidden: Tensor, _ mode: Mode) -> Tensor
}

extension MaskedLanguageModel {
  /// Scores at chosen positions only.
  /// - Parameters:
  ///   - hidden: `[rows, length, width]`.
  ///   - positions: int64 `[n]`, row · length + position.
  ///   - mode: training or evaluation.
  /// - Returns: `[n, vocabularySize]`, in training in the compute dtype, otherwise float32.
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

  /// 0 where a query of `placement` sees a key, of the last `window` tokens only; nil where each sees all.
  /// - Returns: `[rows or 1, 1, new, total]`.
  static func seen(_ placement: Placement, window: Int?, dtype: DType) -> Tensor? {
    var isSeen = placement.isSeen
    if let window {
      // Distances count tokens: padding may stand between a prompt and its answer.
      let isNear = placement.keys.unsqueezed(1) .> placement.queries.unsqueezed(2) - Double(window)
      isSeen = isSeen.map { $0 .& isNear } ?? isNear
    }
    return isSeen.map { (($0.to(.float32) - 1) * 1e30).to(dtype).unsqueezed(1) }
  }

  /// `mask [rows or 1, 1, new, total]` with `count` more keys in front, which all see.
  static func behind(_ count: Int, _ mask: Tensor) -> Tensor {
    guard count > 0 else { return mask }
    let seen = Tensor.zeros([mask.size(0), 1, mask.size(2), count], dtype: mask.dtype, device: mask.device)
    return .concatenated([seen, mask], 3)
  }
}
