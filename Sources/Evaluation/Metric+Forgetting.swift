extension Metric {
  /// Fall from the best score before the last experience to the final one; negative where later training helped.
  public static let forgetting = Metric(
    id: "forgetting.chaudhry", name: "Forgetting", symbol: "F", unit: .points,
    formula: "1/(T−1) · Σ_{j=1..T−1} (max_{1≤k<T} a[k,j] − a[T,j])",
    source: Citation(
      "Chaudhry et al., Riemannian Walk for Incremental Learning, ECCV 2018", url: "https://arxiv.org/abs/1801.10112"),
    higherIsBetter: false
  ) { a, _ in meanFall(a, from: 0..<a.count - 1) }

  /// As `forgetting`, but the maximum includes the last row, so that improvement counts as 0.
  public static let forgettingClipped = Metric(
    id: "forgetting.clipped", name: "Forgetting, gains clipped to 0", symbol: "F clip", unit: .points,
    formula: "1/(T−1) · Σ_{j=1..T−1} (max_{1≤k≤T} a[k,j] − a[T,j])",
    source: Citation(
      "Variant computed by aimagelab/mammoth (utils/metrics.py, e75a491) and G-U-N/PyCIL (trainer.py, f3509b8)",
      url: "https://github.com/aimagelab/mammoth"),
    higherIsBetter: false
  ) { a, _ in meanFall(a, from: 0..<a.count) }

  /// Mean fall of the old experiences from their best row.
  ///
  /// Rows before an experience was trained enter the maximum where they were evaluated, as the source has it; from
  /// its own row on, every cell is needed.
  private static func meanFall(_ a: AccuracyMatrix, from rows: Range<Int>) -> Double? {
    (0..<a.count - 1).map { j in
      let scores = rows.map { a[after: $0, on: j] }
      guard !scores[j...].contains(nil) else { return nil }
      return difference(scores.compactMap { $0 }.max(), a[after: a.count - 1, on: j])
    }.completeMean
  }
}
