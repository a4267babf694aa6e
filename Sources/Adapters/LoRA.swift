public import NN
public import Torch

/// A low-rank update of one linear layer: y ← y + (α/r)·(dropout(x)·Aᵀ)·Bᵀ.
/// Source: Hu et al. 2022, §4.1 (arXiv 2106.09685); initialised as huggingface/peft does.
public final class LoRA: MergeableAttachment {
  /// `[rank, inputs]`, Kaiming-uniform.
  public let a: Parameter
  /// `[outputs, rank]`, zero: a fresh adapter changes nothing.
  public let b: Parameter
  /// α/r.
  public let scale: Double
  public var isEnabled = true
  private let dropout: Double
  private let hidden = ActivationTap()
  private let output: ActivationTap

  /// Attaches a new adapter to `linear`; its parameters are named `<linear>.lora.<index>.a` and `.b`.
  public init(
    on linear: Linear, rank: Int, alpha: Double, dropout: Double, index: Int, seed: UInt64, in root: Scope
  ) {
    let layer = String(linear.weight.name.dropLast(".weight".count))
    let scope = root.fresh(.adapter, seed: seed) / layer / "lora" / index
    a = scope.parameter("a", [rank, linear.inputs], .kaimingUniform)
    b = scope.parameter("b", [linear.outputs, rank], .zeros)
    scale = alpha / Double(rank)
    self.dropout = dropout
    output = linear.output
    linear.attach(self)
  }

  public var parameters: [Parameter] { [a, b] }

  /// A's rows make the hidden activations; B's rows are ranked by the layer's combined output, because a fresh
  /// B gives no signal of its own (MIGU, §3.2).
  public var rowWeights: [RowWeight] {
    [RowWeight(parameter: a, tap: hidden), RowWeight(parameter: b, tap: output)]
  }

  public func callAsFunction(_ x: Tensor, _ y: Tensor, _ mode: Mode) -> Tensor {
    let low = mode.dropout(x, dropout).linear(a.value)
    hidden.observe(low, mode)
    return y + low.linear(b.value) * scale
  }

  /// The update in weight space, (α/r)·B·A, `[outputs, inputs]` float32.
  public var product: Tensor { withoutGradient { b.master.matmul(a.master) * scale } }
}
