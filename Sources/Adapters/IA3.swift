public import NN
public import Torch

/// Learned scales of what a linear layer gives (keys, values), or of what it reads (the feed-forward part's last layer).
///
/// Output: y ← l ⊙ y. Input: W(l ⊙ x) + b, computed as y + W((l − 1) ⊙ x), one product more than a layer without it.
/// Source: Liu et al. 2022, §3.3 (arXiv 2205.05638); scales start at one, so a fresh adapter changes nothing.
public final class IA3: MergeableAttachment {
  /// What is scaled.
  public enum Side: Sendable { case input, output }

  /// `[inputs]` or `[outputs]`.
  public let scales: Parameter
  public let side: Side
  /// The layer's weight.
  public let weight: Parameter
  public var isEnabled = true

  /// Attaches a new adapter to `linear`; its parameter is named `<linear>.ia3.<index>.scales`.
  public init(on linear: Linear, _ side: Side, index: Int, seed: UInt64, in store: ParameterStore) {
    let scope = linear.scope(of: "ia3", index, seed: seed, in: store)
    scales = scope.parameter("scales", [side == .input ? linear.inputs : linear.outputs], .ones)
    self.side = side
    weight = linear.weight
    linear.attach(self)
  }

  public var parameters: [Parameter] { [scales] }
  /// None: a scale is no row.
  public var rowWeights: [RowWeight] { [] }

  public func callAsFunction(_ x: Tensor, _ y: Tensor, _ mode: Mode) -> Tensor {
    switch side {
    case .output: y * scales.value
    case .input: y + (x * (scales.value - 1)).linear(weight.value)
    }
  }

  public var product: Tensor {
    let change = scales.current - 1
    return withoutGradient { weight.current * (side == .input ? change : change.unsqueezed(1)) }
  }

  public func merged(_ weight: Tensor, _ bias: Tensor?) -> (weight: Tensor, bias: Tensor?) {
    // Scaled outputs are those of the base and of everything attached before, bias included.
    side == .input
      ? (weight + product, bias) : (weight * scales.current.unsqueezed(1), bias.map { $0 * scales.current })
  }
}
