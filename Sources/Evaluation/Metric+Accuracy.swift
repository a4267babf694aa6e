extension Metric {
  /// Mean over what was learned, at the end: the field's headline number (ACC, AP, average performance).
  public static let finalAccuracy = Metric(
    id: "acc", name: "Final average accuracy", symbol: "ACC", unit: .percent,
    formula: "1/T · Σ_{j=1..T} a[T,j]",
    source: Citation(
      "Lopez-Paz & Ranzato, Gradient Episodic Memory, NeurIPS 2017", url: "https://arxiv.org/abs/1706.08840")
  ) { a, _ in seenMean(a, after: a.count - 1) }

  /// Mean over time of the accuracy on all experiences seen so far.
  public static let averageIncrementalAccuracy = Metric(
    id: "aia", name: "Average incremental accuracy", symbol: "AIA", unit: .percent,
    formula: "1/T · Σ_{k=1..T} AA_k,  AA_k = 1/k · Σ_{j=1..k} a[k,j]",
    source: Citation(
      "Wang et al., A Comprehensive Survey of Continual Learning, TPAMI 2024",
      url: "https://arxiv.org/abs/2302.00487")
  ) { a, _ in a.rows.indices.map { seenMean(a, after: $0) }.completeMean }

  /// How well each experience was learned right when it was trained: plasticity.
  public static let learningAccuracy = Metric(
    id: "learning-accuracy", name: "Learning accuracy", symbol: "LA", unit: .percent,
    formula: "1/T · Σ_{j=1..T} a[j,j]",
    source: Citation(
      "Riemer et al., Learning to Learn without Forgetting (MER), ICLR 2019",
      url: "https://arxiv.org/abs/1810.11910")
  ) { a, _ in a.rows.indices.map { a[after: $0, on: $0] }.completeMean }

  /// The least accurate experience at the end; a mean can hide one that was lost.
  public static let worstTask = Metric(
    id: "worst-task", name: "Worst task at the end", symbol: "MIN", unit: .percent,
    formula: "min_{j=1..T} a[T,j]",
    source: Citation(
      "Our definition, after the worst-case accuracy of De Lange et al., Continual Evaluation, ICLR 2023",
      url: "https://arxiv.org/abs/2205.13452")
  ) { a, _ in
    let last = a.rows.indices.map { a[after: a.count - 1, on: $0] }
    return last.contains(nil) ? nil : last.compactMap { $0 }.min()
  }

  /// AA_k of the survey: mean accuracy after experience k over experiences 1...k (here from 0).
  package static func seenMean(_ a: AccuracyMatrix, after k: Int) -> Double? {
    (0...k).map { a[after: k, on: $0] }.completeMean
  }
}
