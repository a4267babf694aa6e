import NN
import Torch

extension T5 {
  /// Attention without a scale on the scores, over the same sequence or over the encoder's.
  final class Attention {
    private let query: Linear, key: Linear, value: Linear, output: Linear
    private let headCount: Int, headWidth: Int, dropout: Double
    /// In the decoder's attention over itself.
    let prefix: PrefixSlot?

    init(_ c: Configuration, takesPrefix: Bool = false, in scope: Scope) {
      (headCount, headWidth, dropout) = (c.attentionHeads, c.headWidth, c.dropout)
      let inner = headCount * headWidth
      prefix = takesPrefix ? PrefixSlot(heads: headCount, headWidth: headWidth, in: scope) : nil
      func linear(_ inputs: Int, _ outputs: Int, _ name: String, fan: Int) -> Linear {
        let initializer = Initializer.normal(deviation: 1 / Double(fan).squareRoot())
        return Linear(inputs, outputs, bias: false, initializer: initializer, in: scope / name)
      }
      query = linear(c.width, inner, "q", fan: c.width * headWidth)
      key = linear(c.width, inner, "k", fan: c.width)
      value = linear(c.width, inner, "v", fan: c.width)
      output = linear(inner, c.width, "o", fan: inner)
    }

    /// Attention over `x [rows, length, width]` itself; `bias [rows or 1, heads or 1, length, total]` holds positions
    /// and masks.
    func callAsFunction(_ x: Tensor, bias: Tensor?, cache: (KeyValueCache, layer: Int)?, _ mode: Mode) -> Tensor {
      let hasPrefix = (prefix?.count ?? 0) > 0
      if let (cache, layer) = cache, x.size(1) == 1, cache.length > 0, !hasPrefix, x.device == .cpu {
        let read = Linear.sideBySide([query, key, value], x, mode).map(heads)
        return join(
          cache.attend(read[0], (read[1], read[2]), angles: nil, mask: bias, scale: 1, layer: layer), mode)
      }
      var keys = split(key(x, mode)), values = split(value(x, mode))
      if let (cache, layer) = cache { (keys, values) = cache.append(keys, values, layer: layer) }
      if let prefix { (keys, values) = prefix(keys, values) }
      return attend(x, keys, values, bias, mode)
    }

    /// Attention over `encoded [rows, source, width]`.
    func callAsFunction(
      _ x: Tensor, over encoded: Tensor, bias: Tensor?, cache: (KeyValueCache, layer: Int)?, _ mode: Mode
    ) -> Tensor {
      let make = { (keys: self.split(self.key(encoded, mode)), values: self.split(self.value(encoded, mode))) }
      let (keys, values) = cache.map { $0.0.encoded(layer: $0.layer, make) } ?? make()
      if cache != nil, x.size(1) == 1, x.device == .cpu {
        let mixed = Tensor.attentionStep(
          heads(query(x, mode)), new: nil, angles: nil, keys: keys, values: values, length: keys.size(2), mask: bias,
          scale: 1)
        return join(mixed, mode)
      }
      return attend(x, keys, values, bias, mode)
    }

    private func attend(_ x: Tensor, _ keys: Tensor, _ values: Tensor, _ bias: Tensor?, _ mode: Mode) -> Tensor {
      let mixed = Tensor.attention(
        split(query(x, mode)), keys, values, mask: bias, scale: 1, dropout: mode.isTraining ? dropout : 0,
        generator: &mode.generator)
      return output(mixed.transposed(1, 2).reshaped(x.size(0), x.size(1), headCount * headWidth), mode)
    }

    private func split(_ y: Tensor) -> Tensor {
      y.reshaped(y.size(0), y.size(1), headCount, headWidth).transposed(1, 2)
    }

    /// One token a row: `[rows, 1, heads · width]` → `[rows, heads, width]`.
    private func heads(_ y: Tensor) -> Tensor { y.reshaped(y.size(0), headCount, headWidth) }

    /// One token a row: `[rows, heads, width]` → `[rows, 1, outputs]`.
    private func join(_ mixed: Tensor, _ mode: Mode) -> Tensor {
      output(mixed.reshaped(mixed.size(0), 1, headCount * headWidth), mode)
    }
  }

  /// Two linear layers with an activation between them, gated by a third in v1.1.
  final class FeedForward {
    private let input: Linear, gate: Linear?, output: Linear
    private let activation: Activation
    private let dropout: Double

    init(_ c: Configuration, in scope: Scope) {
      (activation, dropout) = (c.activation, c.dropout)
      func linear(_ inputs: Int, _ outputs: Int, _ name: String) -> Linear {
        let initializer = Initializer.normal(deviation: 1 / Double(inputs).squareRoot())
        return Linear(inputs, outputs, bias: false, initializer: initializer, in: scope / name)
      }
      gate = c.isGated ? linear(c.width, c.intermediateWidth, "wi_0") : nil
      input = linear(c.width, c.intermediateWidth, c.isGated ? "wi_1" : "wi")
      output = linear(c.intermediateWidth, c.width, "wo")
    }

    func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
      let inner = Linear.sideBySide([input] + (gate.map { [$0] } ?? []), x, mode)
      let y = inner.count == 2 ? activation(inner[1]) * inner[0] : activation(inner[0])
      return output(mode.dropout(y, dropout), mode)
    }
  }
}
