public import Torch

/// Copies of weights in the order in which single steps of decoding read them fastest, made when first used.
///
/// They hold for as long as the weights do not change: the writing of one batch of answers.
public final class PackedWeights {
  private let rows: Int
  private var packed: [ObjectIdentifier: Tensor] = [:]
  private var isPossible = true

  /// For steps of so many rows.
  public init(rows: Int) { self.rows = rows }

  /// x·Wᵀ + bias; nil where weights cannot be packed.
  func linear(_ x: Tensor, _ weight: Parameter, _ bias: Parameter?) -> Tensor? {
    guard isPossible else { return nil }
    if let known = packed[ObjectIdentifier(weight)] { return x.linear(packed: known, bias?.value) }
    guard let made = weight.value.packed(rows: rows) else {
      isPossible = false
      return nil
    }
    packed[ObjectIdentifier(weight)] = made
    return x.linear(packed: made, bias?.value)
  }
}
