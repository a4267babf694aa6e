import Foundation

/// Learning rate over the updates of one experience, as a factor of the peak rate
/// (formulas of huggingface/transformers `optimization.py`).
public enum Schedule: String, Sendable, Codable, CaseIterable {
  case constant, linear, cosine

  /// - Parameters:
  ///   - step: 0 for the first update.
  ///   - warmup: updates over which the rate rises linearly from 0.
  ///   - total: updates of the experience.
  public func factor(step: Int, warmup: Int, total: Int) -> Double {
    if step < warmup { return Double(step) / Double(max(1, warmup)) }
    let rest = Double(max(1, total - warmup))
    switch self {
    case .constant: return 1
    case .linear: return max(0, Double(total - step) / rest)
    case .cosine: return max(0, 0.5 * (1 + cos(Double.pi * Double(step - warmup) / rest)))
    }
  }
}
