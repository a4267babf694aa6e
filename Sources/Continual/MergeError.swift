public import Foundation

/// Models that cannot be merged.
public enum MergeError: LocalizedError, CustomStringConvertible, Equatable {
  case mismatch([Mismatch])
  case changesNothing(models: Int)

  /// A tensor that a model and the base do not share.
  public struct Mismatch: Sendable, Equatable {
    public let name: String
    /// 1 for the first model.
    public let model: Int
    /// Shapes; nil where the tensor is missing.
    public let base: [Int]?, found: [Int]?

    public init(name: String, model: Int, base: [Int]?, found: [Int]?) {
      (self.name, self.model, self.base, self.found) = (name, model, base, found)
    }

    var line: String {
      switch (base, found) {
      case (let base?, let found?): "model \(model): '\(name)' is \(found), in the base \(base)"
      case (_?, nil): "model \(model) lacks '\(name)'"
      default: "model \(model) has '\(name)', which the base lacks"
      }
    }
  }

  public var description: String {
    switch self {
    case .mismatch(let mismatches):
      "the models do not fit the base. Merge only models trained from this base, without task heads:\n"
        + mismatches.map { "  \($0.line)" }.joined(separator: "\n")
    case .changesNothing(let models):
      "the merge changes nothing: no weight of the base moves by the \(models) model(s). "
        + "Check that they are not the base itself, and that the strength is not 0."
    }
  }
  public var errorDescription: String? { description }
}
