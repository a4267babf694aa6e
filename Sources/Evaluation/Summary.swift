import Foundation

/// Mean, spread and confidence of one quantity over seeds.
public struct Summary: Codable, Sendable, Equatable {
  /// Number of values.
  public let n: Int
  /// Arithmetic mean.
  public let mean: Double
  /// Sample standard deviation (n − 1 below the line), nil for one value.
  public let standardDeviation: Double?

  /// Summary of some values, nil when there are none.
  public init?(_ values: [Double]) {
    guard let mean = values.mean else { return nil }
    n = values.count
    self.mean = mean
    let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
    standardDeviation = n > 1 ? (squares / Double(n - 1)).squareRoot() : nil
  }

  /// Standard error of the mean, nil for one value.
  public var standardError: Double? { standardDeviation.map { $0 / Double(n).squareRoot() } }

  /// 95 % confidence interval of the mean by Student's t, nil for one value.
  public var interval: ClosedRange<Double>? {
    standardError.map { error in
      let half = StudentT.quantile(confidence: 0.95, degrees: Double(n - 1)) * error
      return (mean - half)...(mean + half)
    }
  }
}
