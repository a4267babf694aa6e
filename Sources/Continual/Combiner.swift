public import Torch

/// How the task vectors of several models become one.
public protocol Combiner {
  /// One vector from those of several models; it has their names.
  func combine(_ vectors: [TaskVector]) -> TaskVector
}

/// Σ λ·τ: the scaled sum (Ilharco et al. 2023, §2).
public struct TaskArithmetic: Combiner {
  /// λ, the same for every vector.
  public var strength: Double

  public init(strength: Double) { self.strength = strength }

  public func combine(_ vectors: [TaskVector]) -> TaskVector { strength * vectors.reduce(TaskVector(), +) }

  /// `base` + λ·Σ (model − base), in the dtypes of `base`.
  public static func merge(
    base: [String: Tensor], models: [[String: Tensor]], strength: Double
  ) throws -> [String: Tensor] {
    try TaskArithmetic(strength: strength).merge(base: base, models: models)
  }
}

extension Combiner {
  /// Adds the combined task vectors of `models` to `base`.
  ///
  /// Sums are in float32 and end in the dtypes of `base`; tensors of integers (position ids) are those of `base`.
  /// - Throws: `MergeError` naming every tensor that does not fit, or when `base` would come out as it went in.
  public func merge(base: [String: Tensor], models: [[String: Tensor]]) throws -> [String: Tensor] {
    let mismatches = models.enumerated().flatMap { Self.mismatches(base, $1, number: $0 + 1) }
    guard mismatches.isEmpty else { throw MergeError.mismatch(mismatches) }
    let weights = base.filter { $0.value.dtype.isFloatingPoint }
    let vector = combine(models.map { TaskVector(from: weights, to: $0) })
    let merged = vector.added(to: base)
    let isChanged = weights.contains { name, old in
      merged[name].map { !($0 .== old).isAllTrue() } ?? false
    }
    guard isChanged else { throw MergeError.changesNothing(models: models.count) }
    return merged
  }

  private static func mismatches(
    _ base: [String: Tensor], _ model: [String: Tensor], number: Int
  ) -> [MergeError.Mismatch] {
    Set(base.keys).union(model.keys).sorted().compactMap { name in
      let (wanted, found) = (base[name]?.shape, model[name]?.shape)
      return wanted == found ? nil : MergeError.Mismatch(name: name, model: number, base: wanted, found: found)
    }
  }
}
