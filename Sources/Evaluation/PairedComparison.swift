/// Two methods on the same seeds: mean difference `second − first`, and how likely it is by chance.
public struct PairedComparison: Codable, Sendable, Equatable {
  /// The differences, second − first, summed up.
  public let difference: Summary
  /// Two-sided p of the paired t-test, nil for one pair or when all differences are equal.
  public let tTest: Double?
  /// Two-sided p of the exact sign-flip permutation test, nil for one pair or beyond 20.
  ///
  /// With n pairs it cannot fall below 2/2ⁿ: 0.25 for three seeds, 0.0625 for five.
  public let signFlip: Double?

  /// Compares values that stand in the same order of seeds.
  /// - Precondition: both have the same number of values; nil when that is 0.
  public init?(_ first: [Double], _ second: [Double]) {
    precondition(first.count == second.count, "PairedComparison of \(first.count) and \(second.count) values")
    let differences = zip(first, second).map { $1 - $0 }
    guard let summary = Summary(differences) else { return nil }
    difference = summary
    tTest = Self.tTest(summary)
    signFlip = (2...20).contains(differences.count) ? Self.signFlip(differences) : nil
  }

  private static func tTest(_ summary: Summary) -> Double? {
    // Equal differences, but for rounding, have no spread to test against.
    guard let error = summary.standardError, error > 1e-12 * abs(summary.mean) else { return nil }
    return StudentT.twoSided(summary.mean / error, degrees: Double(summary.n - 1))
  }

  /// Share of all 2ⁿ sign patterns whose sum is at least as far from 0 as the one observed.
  private static func signFlip(_ differences: [Double]) -> Double {
    let observed = abs(differences.reduce(0, +))
    // Patterns that equal the observed one in exact arithmetic must not be lost to rounding.
    let threshold = observed - 1e-9 * differences.map(abs).reduce(0, +)
    let patterns = 1 << differences.count
    let extreme = (0..<patterns).count { pattern in
      let sum = differences.enumerated().reduce(0.0) { $0 + (pattern >> $1.offset & 1 == 1 ? -1 : 1) * $1.element }
      return abs(sum) >= threshold
    }
    return Double(extreme) / Double(patterns)
  }
}
