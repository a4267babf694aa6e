public import Torch

/// Where keys and values enter one attention layer in front of those of the text: prefixes attach here.
///
/// All tokens see them, and the text's positions begin behind them, as in huggingface/peft. Encoders and decoders have a
/// slot in every layer; of an encoder-decoder the decoder's self-attention alone has them, as there.
public final class PrefixSlot {
  /// The attention's name in the checkpoint.
  public let name: String
  /// Heads of the keys and values, and their width.
  public let heads: Int, headWidth: Int
  public let dtype: DType
  public let device: Device
  /// In order of attachment: the last one stands first, farthest from the text.
  public private(set) var attachments: [any PrefixAttachment] = []

  public init(heads: Int, headWidth: Int, in scope: Scope) {
    (self.heads, self.headWidth) = (heads, headWidth)
    (name, dtype, device) = (scope.path, scope.dtype, scope.device)
    scope.store.add(self)
  }

  public func attach(_ attachment: some PrefixAttachment) { attachments.append(attachment) }

  /// How many positions the prefixes that are on take.
  public var count: Int { attachments.reduce(0) { $0 + ($1.isEnabled ? $1.keys.shape[0] : 0) } }

  /// Keys and values `[rows, heads, total, headWidth]` with the prefixes in front: `[rows, heads, count + total, headWidth]`.
  public func callAsFunction(_ keys: Tensor, _ values: Tensor) -> (keys: Tensor, values: Tensor) {
    let prefixes = attachments.reversed().filter(\.isEnabled)
    guard !prefixes.isEmpty else { return (keys, values) }
    func behind(_ parts: [Parameter], _ text: Tensor) -> Tensor {
      let rows = parts.map {
        $0.value.transposed(0, 1).unsqueezed(0).expanded([text.size(0), heads, $0.shape[0], headWidth])
      }
      return .concatenated(rows + [text], 2)
    }
    return (behind(prefixes.map(\.keys), keys), behind(prefixes.map(\.values), values))
  }
}

/// Keys and values that one attention layer reads in front of those of the text.
public protocol PrefixAttachment: Adapter {
  /// `[count, heads, headWidth]`.
  var keys: Parameter { get }
  /// `[count, heads, headWidth]`.
  var values: Parameter { get }
}
