/// Score on every experience after training on each, in percent: row = after, column = on.
///
/// A finished run has as many rows as columns; while a run is under way it has fewer. Cells that were not
/// evaluated are nil. The same struct holds any score in 0...100, and losses; `quantity` says which.
public struct AccuracyMatrix: Sendable, Equatable {
  /// The quantity of a matrix of losses in nats: not percentages, and smaller is better.
  public static let loss = "loss"

  /// What the cells hold, for example "accuracy" or "macro-F1".
  public let quantity: String
  /// Names of the experiences in stream order, one per column.
  public private(set) var experiences: [String]
  /// Row i holds the scores after training on experience i; `rows.count <= experiences.count`.
  public private(set) var rows: [[Double?]]
  /// Scores before any training, or nil when they were not measured.
  public private(set) var before: [Double?]?

  /// A matrix over the named experiences.
  /// - Precondition: every row, and `before`, has one value in 0...100 (0 or more for losses) or nil per experience.
  public init(
    experiences: [String], quantity: String = "accuracy", before: [Double?]? = nil, rows: [[Double?]] = []
  ) {
    if let fault = Self.fault(quantity, experiences, before, rows) { preconditionFailure("AccuracyMatrix: \(fault)") }
    self.quantity = quantity
    self.experiences = experiences
    self.before = before
    self.rows = rows
  }

  /// Number of experiences trained so far.
  public var count: Int { rows.count }

  /// Whether the last experience has been trained.
  public var isComplete: Bool { rows.count == experiences.count }

  /// Score on experience j after training on experience i, or nil when it was not evaluated.
  public subscript(after i: Int, on j: Int) -> Double? {
    precondition(
      rows.indices.contains(i) && experiences.indices.contains(j),
      "AccuracyMatrix[after: \(i), on: \(j)] is outside \(rows.count) rows × \(experiences.count) columns")
    return rows[i][j]
  }

  /// Adds the scores measured after the next experience.
  public mutating func append(row: [Double?]) {
    if let fault = Self.fault(quantity, experiences, before, rows + [row]) {
      preconditionFailure("AccuracyMatrix.append(row:): \(fault)")
    }
    rows.append(row)
  }

  /// Adds a column for a new experience; what was measured before it existed is nil.
  public mutating func append(experience name: String, before score: Double? = nil) {
    experiences.append(name)
    rows = rows.map { $0 + [nil] }
    before = before.map { $0 + [score] } ?? score.map { Array(repeating: nil, count: experiences.count - 1) + [$0] }
  }

  private static func fault(
    _ quantity: String, _ experiences: [String], _ before: [Double?]?, _ rows: [[Double?]]
  ) -> String? {
    if rows.count > experiences.count { return "\(rows.count) rows for \(experiences.count) experiences" }
    let named = rows.enumerated().map { ("row \($0.offset)", $0.element) }
    for (name, row) in (before.map { [("the row before training", $0)] } ?? []) + named {
      if row.count != experiences.count {
        return "\(name) has \(row.count) values for \(experiences.count) experiences"
      }
      let isLoss = quantity == loss
      if let value = row.lazy.compactMap({ $0 }).first(where: { !(isLoss ? $0 >= 0 : (0...100).contains($0)) }) {
        return "\(name) holds \(value), which is not a \(isLoss ? "loss" : "percentage")"
      }
    }
    return nil
  }
}

extension AccuracyMatrix: Codable {
  private enum CodingKeys: String, CodingKey { case quantity, experiences, before, rows }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let experiences = try container.decode([String].self, forKey: .experiences)
    let before = try container.decodeIfPresent([Double?].self, forKey: .before)
    let rows = try container.decode([[Double?]].self, forKey: .rows)
    let quantity = try container.decode(String.self, forKey: .quantity)
    if let fault = Self.fault(quantity, experiences, before, rows) {
      throw DecodingError.dataCorruptedError(
        forKey: .rows, in: container, debugDescription: "accuracy matrix: \(fault)")
    }
    self.init(
      experiences: experiences, quantity: quantity, before: before, rows: rows)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(quantity, forKey: .quantity)
    try container.encode(experiences, forKey: .experiences)
    try container.encodeIfPresent(before, forKey: .before)
    try container.encode(rows, forKey: .rows)
  }
}
