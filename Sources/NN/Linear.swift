public import Torch

/// y = x·Wᵀ + b, then whatever is attached, in order of attachment.
///
/// Adapters attach here by the name of the weight; the layer's code and the model's stay as they are.
public final class Linear {
  /// `[outputs, inputs]`.
  public let weight: Parameter
  /// `[outputs]`.
  public let bias: Parameter?
  /// Whether the weight is another module's too: a head that is the word embeddings.
  public let isTied: Bool
  public private(set) var attachments: [any Attachment] = []
  /// Sees the layer's final output: base, bias and attachments together.
  public let output = ActivationTap()
  /// The rows of the weight that train, where a method chooses them: what it names between a forward pass and its backward
  /// pass gets a gradient, the rest none. Nil, or none named: all.
  public var keptRows: KeptRows?

  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, initializer: Initializer = .kaimingUniform, in scope: Scope
  ) {
    weight = scope.parameter("weight", [outputs, inputs], initializer)
    self.bias = bias ? scope.parameter("bias", [outputs], .zeros) : nil
    isTied = false
    scope.store.add(self)
  }

  /// A layer whose weight `[outputs, inputs]` another module registered: a head tied to the word embeddings.
  /// A bias is registered below `scope`.
  public init(tiedTo weight: Parameter, bias: Bool = false, in scope: Scope) {
    self.weight = weight
    self.bias = bias ? scope.parameter("bias", [weight.shape[0]], .zeros) : nil
    isTied = true
    scope.store.add(self)
  }

  public var inputs: Int { weight.shape[1] }
  public var outputs: Int { weight.shape[0] }

  /// `[..., inputs]` → `[..., outputs]`.
  public func callAsFunction(_ x: Tensor, _ mode: Mode) -> Tensor {
    completed(mode.packed?.linear(x, [self])?[0] ?? product(x, mode), x, mode)
  }

  /// Layers that read the same: `[..., inputs]` → `[..., outputs]` of each. A step of decoding makes one product of them.
  public static func sideBySide(_ layers: [Linear], _ x: Tensor, _ mode: Mode) -> [Tensor] {
    guard let products = mode.packed?.linear(x, layers) else { return layers.map { $0(x, mode) } }
    return zip(layers, products).map { $0.completed($1, x, mode) }
  }

  /// The layer as a model's head: `[..., outputs]`, in training in the compute dtype, in which a loss reads it, otherwise
  /// float32.
  public func scores(_ x: Tensor, _ mode: Mode) -> Tensor {
    if mode.isTraining { return self(x, mode) }
    guard let packed = mode.packed?.linear(x, [self], inFloat32: true) else { return self(x, mode).to(.float32) }
    return completed(packed[0], x, mode)
  }

  private func product(_ x: Tensor, _ mode: Mode) -> Tensor {
    guard let keptRows, mode.isTraining else { return x.linear(weight.value, bias?.value) }
    return x.linear(weight.value, bias?.value, keptRows: keptRows)
  }

  /// The layer's output, from its own product with `x`.
  private func completed(_ product: Tensor, _ x: Tensor, _ mode: Mode) -> Tensor {
    var y = product
    for attachment in attachments where attachment.isEnabled { y = attachment(x, y, mode) }
    output.observe(y, mode)
    return y
  }

  public func attach(_ attachment: some Attachment) { attachments.append(attachment) }
  public func detach(where isDetached: (any Attachment) -> Bool) { attachments.removeAll(where: isDetached) }

  /// Every weight whose rows make this layer's output or an attachment's, with the tap that sees those rows.
  public var rowWeights: [RowWeight] {
    [RowWeight(parameter: weight, tap: output)] + attachments.flatMap(\.rowWeights)
  }
}

/// Weights added to a model: to one of its linear layers, or to what it reads.
public protocol Adapter: AnyObject {
  /// Whether the model uses it.
  var isEnabled: Bool { get set }
  var parameters: [Parameter] { get }
}

/// Weights added to a linear layer: they see its input and output and return the new output.
public protocol Attachment: Adapter {
  /// Its weights whose rows are output features, with the tap of those outputs.
  var rowWeights: [RowWeight] { get }
  /// - Parameters:
  ///   - x: the layer's input `[..., inputs]`.
  ///   - y: its output so far `[..., outputs]`.
  ///   - mode: training or evaluation.
  func callAsFunction(_ x: Tensor, _ y: Tensor, _ mode: Mode) -> Tensor
}

/// An attachment that is a change of the layer's weight.
public protocol MergeableAttachment: Attachment {
  /// The change of the layer's own weight, `[outputs, inputs]` float32.
  var product: Tensor { get }
  /// The layer that does the same without the attachment.
  /// - Parameters:
  ///   - weight: `[outputs, inputs]` float32, what was attached before merged in.
  ///   - bias: `[outputs]` float32, or nil where the layer has none.
  func merged(_ weight: Tensor, _ bias: Tensor?) -> (weight: Tensor, bias: Tensor?)
}

extension MergeableAttachment {
  public func merged(_ weight: Tensor, _ bias: Tensor?) -> (weight: Tensor, bias: Tensor?) { (weight + product, bias) }
}

/// A weight `[outputs, inputs]` and the tap that sees the activations its rows produce.
public struct RowWeight {
  public let parameter: Parameter
  public let tap: ActivationTap
  public init(parameter: Parameter, tap: ActivationTap) {
    self.parameter = parameter
    self.tap = tap
  }
}

/// Sums |activation| per output feature over the tokens of training passes, while someone records.
public final class ActivationTap {
  public var isRecording = false
  /// `[outputs]` float32: Σ|o| over the positions that count (`Mode.counted`) since the last reset; nil before any pass.
  public private(set) var magnitude: Tensor?

  public init() {}

  public func observe(_ y: Tensor, _ mode: Mode) {
    guard isRecording, mode.isTapped else { return }
    withoutGradient {
      let all = y.reshaped(-1, y.size(-1))
      let sum = (mode.counted.map { all * $0.reshaped(-1, 1).to(y.dtype) } ?? all).columnMagnitudes()
      if let magnitude { magnitude.add(sum) } else { magnitude = sum }
    }
  }

  public func reset() { magnitude = nil }
}
