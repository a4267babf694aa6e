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

    /// Attention over `x [rows, length, width]` itself; `sight` holds the bias of positions too.
    func callAsFunction(_ x: Tensor, _ sight: Sight, cache: (KeyValueCache, layer: Int)?, _ mode: Mode) -> Tensor {
      let read = Linear.sideBySide([query, key, value], x, mode)
      if let (cache, layer) = cache, x.size(1) == 1, cache.length > 0, (prefix?.count ?? 0) == 0, x.device == .cpu,
        case .masked(let mask) = sight
      {
        let new = (heads(read[1]), heads(read[2]))
        return join(cache.attend(heads(read[0]), new, angles: nil, mask: mask, scale: 1, layer: layer), mode)
      }
      var keys = split(read[1]), values = split(read[2])
      if let (cache, layer) = cache {
        let all = cache.append(keys.transposed(1, 2), values.transposed(1, 2), layer: layer)
        (keys, values) = (all.keys.transposed(1, 2), all.values.transposed(1, 2))
      }
      return attend(split(read[0]), keys, values, sight, prefix, mode)
    }

    /// Attention of `x [rows, length, width]` over what the decoder reads of the encoder.
    func callAsFunction(
      _ x: Tensor, over source: Source, cache: (KeyValueCache, layer: Int)?, _ mode: Mode
    ) -> Tensor {
      let make = {
        mode.rowsOfTokens = source.rows
        defer { mode.rowsOfTokens = nil }
        let read = mode.overPadding(source.mask) {
          Linear.sideBySide([self.key, self.value], source.states, mode)
        }
        return (keys: self.split(read[0]), values: self.split(read[1]))
      }
      if let (cache, layer) = cache {
        // Heads first, as the attention of single steps reads them.
        let (keys, values) = cache.encoded(layer: layer) {
          let made = make()
          return (made.keys.transposed(1, 2), made.values.transposed(1, 2))
        }
        if x.size(1) == 1, x.device == .cpu, case .masked(let mask) = source.sight {
          let mixed = Tensor.attentionStep(
            heads(query(x, mode)), new: nil, angles: nil, keys: keys, values: values, length: keys.size(2), mask: mask,
            scale: 1)
          return join(mixed, mode)
        }
        return attend(
          split(query(x, mode)), keys.transposed(1, 2), values.transposed(1, 2), source.sight, nil, mode)
      }
      let (keys, values) = make()
      return attend(split(query(x, mode)), keys, values, source.sight, nil, mode)
    }

    private func attend(
      _ queries: Tensor, _ keys: Tensor, _ values: Tensor, _ sight: Sight, _ prefix: PrefixSlot?, _ mode: Mode
    ) -> Tensor {
      let mixed = Tensor.attention(
        queries, keys, values, sight, prefix: prefix, scale: 1, dropout: dropout, mode)
      return output(mixed, mode)
    }

    /// `[rows, length, heads · width]` → `[rows, length, heads, width]`.
    private func split(_ y: Tensor) -> Tensor { y.reshaped(y.size(0), y.size(1), headCount, headWidth) }

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
