/// One number drawn from an accuracy matrix, with its definition: libraries disagree on these, so the id names
/// the variant and the formula travels with the value.
///
/// In formulas T is the number of experiences trained so far, a[i,j] the score on j after training on i (from 1),
/// a[0,j] the score before any training.
public struct Metric: Sendable, Identifiable {
  /// Variant id, such as `forgetting.chaudhry`: the key in records and tables.
  public let id: String
  /// Full name.
  public let name: String
  /// Short name for table heads.
  public let symbol: String
  /// Unit of the value: percent, or percentage points for differences.
  public let unit: String
  /// Definition in plain text.
  public let formula: String
  /// Publication or code that defines this variant.
  public let source: Citation
  /// Whether a larger value is a better one.
  public let higherIsBetter: Bool
  private let value: @Sendable (AccuracyMatrix, References) -> Double?

  /// A metric from its definition and the function that computes it.
  public init(
    id: String, name: String, symbol: String, unit: Unit, formula: String, source: Citation,
    higherIsBetter: Bool = true, value: @escaping @Sendable (AccuracyMatrix, References) -> Double?
  ) {
    self.id = id
    self.name = name
    self.symbol = symbol
    self.unit = unit.rawValue
    self.formula = formula
    self.source = source
    self.higherIsBetter = higherIsBetter
    self.value = value
  }

  /// The metric's value, or nil where it is not defined: too few rows, a missing cell, no reference model.
  public func compute(_ matrix: AccuracyMatrix, references: References = References()) -> Double? {
    matrix.rows.isEmpty ? nil : value(matrix, references)
  }
}

extension Metric {
  /// Unit of a metric.
  public enum Unit: String, Sendable {
    case percent = "%"
    case points
  }

  /// Scores of reference models that some metrics compare with, in percent.
  public struct References: Codable, Sendable, Equatable {
    /// On experience j, a model trained on j alone.
    public var singleTask: [Double?]
    /// On experience k, a model trained jointly on experiences 1...k.
    public var joint: [Double?]

    /// References, empty where they were not measured.
    public init(singleTask: [Double?] = [], joint: [Double?] = []) {
      self.singleTask = singleTask
      self.joint = joint
    }

    func singleTask(_ j: Int) -> Double? { singleTask.indices.contains(j) ? singleTask[j] : nil }
    func joint(_ k: Int) -> Double? { joint.indices.contains(k) ? joint[k] : nil }
  }

  /// Every metric, in the order tables show them.
  public static let all: [Metric] = [
    .finalAccuracy, .averageIncrementalAccuracy, .learningAccuracy, .worstTask,
    .backwardTransfer, .backwardTransferAllPairs, .forgetting, .forgettingClipped,
    .forwardTransfer, .forwardTransferSingleTask, .intransigence, .meanIntransigence,
  ]

  /// The metric of a given id, or nil when there is none.
  public static func named(_ id: String) -> Metric? { all.first { $0.id == id } }

  /// Every metric that is defined for a matrix, by id.
  public static func values(of matrix: AccuracyMatrix, references: References = References()) -> [String: Double] {
    Dictionary(
      uniqueKeysWithValues: all.compactMap { metric in
        metric.compute(matrix, references: references).map { (metric.id, $0) }
      })
  }
}
