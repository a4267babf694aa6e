public import NN
public import Torch

/// An adapter after one linear layer: y ← y + up(relu(down(y))), each unit perhaps multiplied by a gate.
/// Source: Houlsby et al. 2019, §2.1 (arXiv 1902.00751); `up` starts at zero, so a fresh adapter changes nothing.
public final class Bottleneck: Attachment {
  /// `[width, outputs]` and `[width]`.
  public let down: Parameter, downBias: Parameter
  /// `[outputs, width]` and `[outputs]`.
  public let up: Parameter, upBias: Parameter
  public var isEnabled = true
  /// Factors of the units: those of the hidden layer `[width]`, and of what is added `[outputs]`, in the compute dtype; nil
  /// for one.
  public var gates: (hidden: Tensor, output: Tensor)?
  private let hidden = ActivationTap()
  private let output: ActivationTap

  /// Attaches a new adapter to `linear`; its parameters are named `<linear>.adapter.<index>.…`.
  public init(on linear: Linear, width: Int, index: Int, seed: UInt64, in store: ParameterStore) {
    let scope = linear.scope(of: "adapter", index, seed: seed, in: store)
    down = scope.parameter("down.weight", [width, linear.outputs], .kaimingUniform)
    downBias = scope.parameter("down.bias", [width], .zeros)
    up = scope.parameter("up.weight", [linear.outputs, width], .zeros)
    upBias = scope.parameter("up.bias", [linear.outputs], .zeros)
    output = linear.output
    linear.attach(self)
  }

  public var parameters: [Parameter] { [down, downBias, up, upBias] }
  public var rowWeights: [RowWeight] {
    [RowWeight(parameter: down, tap: hidden), RowWeight(parameter: up, tap: output)]
  }

  public func callAsFunction(_ x: Tensor, _ y: Tensor, _ mode: Mode) -> Tensor {
    let low = y.linear(down.value, downBias.value)
    hidden.observe(low, mode)
    guard let gates else { return y + low.relu().linear(up.value, upBias.value) }
    return y + (low.relu() * gates.hidden).linear(up.value, upBias.value) * gates.output
  }
}
