public import NN
import Torch

/// Trained keys and values in front of those of the text, in one attention layer.
/// Source: Li & Liang 2021, §4 (arXiv 2101.00190), without the network that makes them there: huggingface/peft's prefix
/// tuning without projection.
public final class Prefix: PrefixAttachment {
  public let keys: Parameter, values: Parameter
  public var isEnabled = true

  /// Attaches a new prefix to `slot`; its parameters are named `<attention>.prefix.<index>.keys` and `.values`.
  public init(on slot: PrefixSlot, count: Int, index: Int, seed: UInt64, in store: ParameterStore) {
    let root = Scope(store: store, dtype: slot.dtype, device: slot.device, seed: seed)
    let scope = root.fresh(.adapter, seed: seed) / slot.name / "prefix" / index
    let shape = [count, slot.heads, slot.headWidth]
    keys = scope.parameter("keys", shape, .normal(deviation: 0.02))
    values = scope.parameter("values", shape, .normal(deviation: 0.02))
    slot.attach(self)
  }

  public var parameters: [Parameter] { [keys, values] }
}
