extension Metric {
  /// Change of each old experience from when it was learned to the end; negative means forgetting.
  public static let backwardTransfer = Metric(
    id: "bwt.gem", name: "Backward transfer", symbol: "BWT", unit: .points,
    formula: "1/(T−1) · Σ_{j=1..T−1} (a[T,j] − a[j,j])",
    source: Citation(
      "Lopez-Paz & Ranzato, Gradient Episodic Memory, NeurIPS 2017", url: "https://arxiv.org/abs/1706.08840")
  ) { a, _ in
    (0..<a.count - 1).map { j in difference(a[after: a.count - 1, on: j], a[after: j, on: j]) }.completeMean
  }

  /// Backward transfer averaged over every later moment, not only the end.
  public static let backwardTransferAllPairs = Metric(
    id: "bwt.diaz-rodriguez", name: "Backward transfer, all pairs", symbol: "BWT all", unit: .points,
    formula: "2/(T(T−1)) · Σ_{i=2..T} Σ_{j=1..i−1} (a[i,j] − a[j,j])",
    source: Citation(
      "Díaz-Rodríguez et al., Don't Forget, There Is More than Forgetting, 2018",
      url: "https://arxiv.org/abs/1810.13166")
  ) { a, _ in
    a.rows.indices.flatMap { i in
      (0..<i).map { j in difference(a[after: i, on: j], a[after: j, on: j]) }
    }.completeMean
  }

  /// `a − b` where both are known.
  static func difference(_ a: Double?, _ b: Double?) -> Double? {
    guard let a, let b else { return nil }
    return a - b
  }
}
