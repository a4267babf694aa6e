extension Metric {
  /// What earlier experiences give to one not yet trained, over the model before any training.
  public static let forwardTransfer = Metric(
    id: "fwt.gem", name: "Forward transfer", symbol: "FWT", unit: .points,
    formula: "1/(T−1) · Σ_{j=2..T} (a[j−1,j] − a[0,j]), a[0,j] before any training",
    source: Citation(
      "Lopez-Paz & Ranzato, Gradient Episodic Memory, NeurIPS 2017", url: "https://arxiv.org/abs/1706.08840")
  ) { a, _ in
    guard let before = a.before else { return nil }
    return a.rows.indices.dropFirst().map { j in difference(a[after: j - 1, on: j], before[j]) }.completeMean
  }

  /// What earlier experiences give to learning the next, over a model trained on it alone.
  public static let forwardTransferSingleTask = Metric(
    id: "fwt.survey", name: "Forward transfer over single-task training", symbol: "FWT single", unit: .points,
    formula: "1/(T−1) · Σ_{j=2..T} (a[j,j] − s[j]), s[j] a model trained on j alone",
    source: Citation(
      "Wang et al., A Comprehensive Survey of Continual Learning, TPAMI 2024",
      url: "https://arxiv.org/abs/2302.00487")
  ) { a, references in
    a.rows.indices.dropFirst().map { j in difference(a[after: j, on: j], references.singleTask(j)) }.completeMean
  }
}
