public import Foundation

/// Layers that `n-lora` cannot make sparse as it was told.
public enum NLoRAError: LocalizedError, CustomStringConvertible, Equatable {
  /// A weight with other outputs than inputs, whose factors cannot be multiplied the other way round.
  case notSquare(String, shape: [Int])

  public var description: String {
    switch self {
    case .notSquare(let weight, let shape):
      "n-lora with product: reversed needs layers with as many outputs as inputs, and \(weight) is \(shape). "
        + "Set product to update, or leave that layer out of targets."
    }
  }
  public var errorDescription: String? { description }
}
