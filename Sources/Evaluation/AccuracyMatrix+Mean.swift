extension AccuracyMatrix {
  /// Cell-wise mean over runs of one stream: a cell is the mean of the runs that measured it.
  /// - Precondition: at least one matrix, all over the same experiences.
  public static func mean(of matrices: [AccuracyMatrix]) -> AccuracyMatrix {
    guard let first = matrices.first else { preconditionFailure("AccuracyMatrix.mean(of:) needs a matrix") }
    precondition(
      matrices.allSatisfy { $0.experiences == first.experiences },
      "AccuracyMatrix.mean(of:) needs matrices over the same experiences")
    let columns = first.experiences.indices
    let befores = matrices.compactMap(\.before)
    return AccuracyMatrix(
      experiences: first.experiences, quantity: first.quantity,
      before: befores.isEmpty ? nil : columns.map { j in befores.compactMap { $0[j] }.mean },
      rows: (0..<(matrices.map(\.count).max() ?? 0)).map { i in
        columns.map { j in matrices.scores(after: i, on: j).mean }
      })
  }
}

extension [AccuracyMatrix] {
  /// What each matrix holds in one cell, without those that have not measured it.
  public func scores(after i: Int, on j: Int) -> [Double] {
    compactMap { $0.rows.indices.contains(i) ? $0[after: i, on: j] : nil }
  }
}

extension Collection<Double> {
  /// Arithmetic mean, nil when empty.
  package var mean: Double? { isEmpty ? nil : reduce(0, +) / Double(count) }
}

extension Collection<Double?> {
  /// Mean of values that must all be present: nil when empty or when one is missing.
  var completeMean: Double? {
    let present = compactMap { $0 }
    return present.count == count ? present.mean : nil
  }
}
