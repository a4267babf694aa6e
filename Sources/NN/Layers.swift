public import Torch

/// A table of vectors `[entries, width]`.
public final class Embedding {
  public let weight: Parameter

  public init(_ entries: Int, _ width: Int, initializer: Initializer = .normal(deviation: 0.02), in scope: Scope) {
    weight = scope.parameter("weight", [entries, width], initializer)
  }

  /// int64 `[...]` → `[..., width]`.
  public func callAsFunction(_ index: Tensor) -> Tensor { weight.value.embedding(index) }
}

/// Normalisation over the last dimension with learned scale and shift (Ba et al. 2016, arXiv 1607.06450).
public final class LayerNorm {
  public let weight: Parameter
  public let bias: Parameter?
  public let epsilon: Double

  public init(_ width: Int, epsilon: Double, bias: Bool = true, in scope: Scope) {
    weight = scope.parameter("weight", [width], .ones)
    self.bias = bias ? scope.parameter("bias", [width], .zeros) : nil
    self.epsilon = epsilon
  }

  /// `[..., width]` → `[..., width]`; statistics in float32.
  public func callAsFunction(_ x: Tensor) -> Tensor { x.layerNorm(weight.value, bias?.value, epsilon: epsilon) }

  /// The same of x + `added`, which passes dropout in training; all `[..., width]`.
  public func callAsFunction(_ x: Tensor, adding added: Tensor, dropout: Double, _ mode: Mode) -> Tensor {
    x.layerNorm(
      adding: added, dropout: mode.isTraining ? dropout : 0, &mode.generator, weight.value, bias?.value,
      epsilon: epsilon)
  }
}

/// Normalisation by the root mean square over the last dimension with learned scale (Zhang & Sennrich 2019,
/// arXiv 1910.07467).
public final class RMSNorm {
  public let weight: Parameter
  public let epsilon: Double

  public init(_ width: Int, epsilon: Double, in scope: Scope) {
    weight = scope.parameter("weight", [width], .ones)
    self.epsilon = epsilon
  }

  /// `[..., width]` → `[..., width]`; statistics in float32.
  public func callAsFunction(_ x: Tensor) -> Tensor { x.rmsNorm(weight.value, epsilon: epsilon) }
}

/// Element-wise activation functions by the names that model configurations use.
public enum Activation: String, Sendable, Codable, CaseIterable {
  case gelu, relu, silu, tanh
  case geluTanh = "gelu_new"

  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .gelu: x.gelu()
    case .geluTanh: x.gelu(approximate: true)
    case .relu: x.relu()
    case .silu: x.silu()
    case .tanh: x.tanh()
    }
  }
}
