public import NN
public import Torch

/// A backbone that turns tokens into one vector a position.
public protocol TextEncoder: AnyObject {
  /// Size of the vectors.
  var width: Int { get }
  /// Heads of each attention layer.
  var attentionHeads: Int { get }
  /// Longest sequence, in tokens.
  var maxLength: Int { get }
  /// `[rows, length, width]` in the compute dtype.
  func hidden(_ batch: DeviceBatch, _ mode: Mode) -> Tensor
}
