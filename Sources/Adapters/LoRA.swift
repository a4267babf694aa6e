public import NN
public import Torch

/// A low-rank update of one linear layer: y ← y + (α/r)·(dropout(x)·Aᵀ)·Bᵀ.
/// Source: Hu et al. 2022, §4.1 (arXiv 2106.09685); initialised as huggingface/peft does.
public final class LoRA: MergeableAttachment {
  /// Size of the update, and how it is scaled and regularised.
  public struct Configuration: Sendable {
    /// Rows of A.
    public var rank: Int
    /// The update is multiplied by alpha / rank.
    public var alpha: Double
    /// On the input of A, in training.
    public var dropout: Double

    public init(rank: Int, alpha: Double, dropout: Double) {
      (self.rank, self.alpha, self.dropout) = (rank, alpha, dropout)
    }
  }

  /// `[rank, inputs]`, Kaiming-uniform.
  public let a: Parameter
  /// `[outputs, rank]`, zero: a fresh adapter changes nothing.
  public let b: Parameter
  /// The weight of the layer that is updated.
  public let weight: Parameter
  /// α/r.
  public let scale: Double
  public var isEnabled = true
  private let dropout: Double
  private let hidden = ActivationTap()
  private let output: ActivationTap

  /// Attaches a new adapter to `linear`; its parameters are named `<linear>.lora.<index>.a` and `.b`.
  public init(on linear: Linear, _ configuration: Configuration, index: Int, seed: UInt64, in store: ParameterStore) {
    let scope = linear.scope(of: "lora", index, seed: seed, in: store)
    a = scope.parameter("a", [configuration.rank, linear.inputs], .kaimingUniform)
    b = scope.parameter("b", [linear.outputs, configuration.rank], .zeros)
    scale = configuration.alpha / Double(configuration.rank)
    dropout = configuration.dropout
    weight = linear.weight
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
    let (sum, low) = y.addingLowRank(mode.dropout(x, dropout), a.value, b.value, scale: scale)
    hidden.observe(low, mode)
    return sum
  }

  /// The update in weight space, (α/r)·B·A, `[outputs, inputs]` float32.
  public var product: Tensor { withoutGradient { b.master.matmul(a.master) * scale } }
}
