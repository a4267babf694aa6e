import Torch

/// Copies of weights in the order in which single steps of decoding read them fastest, made when first used.
///
/// They hold for as long as the weights do not change: the writing of one batch of answers.
public final class PackedWeights {
  /// More rows than this are faster as ordinary products.
  private static let mostRows = 32
  private var packed: [ObjectIdentifier: Tensor] = [:]
  private var isPossible = true

  public init() {}

  /// x·Wᵀ + bias of each layer, in the dtype of x or in float32; nil where that is no faster, or weights cannot be packed.
  func linear(_ x: Tensor, _ layers: [Linear], inFloat32: Bool = false) -> [Tensor]? {
    guard isPossible, x.count / x.size(-1) <= Self.mostRows else { return nil }
    var read: [(weight: Tensor, outputs: Int, bias: Tensor?)] = []
    for layer in layers {
      guard let weight = known(layer.weight) else { return nil }
      read.append((weight, layer.outputs, layer.bias?.value))
    }
    return x.linear(packed: read, inFloat32: inFloat32)
  }

  private func known(_ weight: Parameter) -> Tensor? {
    if let known = packed[ObjectIdentifier(weight)] { return known }
    let made = weight.value.packed()
    if let made { packed[ObjectIdentifier(weight)] = made } else { isPossible = false }
    return made
  }
}
