extension Metric {
  /// How far the last experience falls short of joint training: the price of protection.
  public static let intransigence = Metric(
    id: "intransigence", name: "Intransigence", symbol: "I", unit: .points,
    formula: "a*[T] − a[T,T], a*[k] a model trained jointly on 1…k, on k",
    source: Citation(
      "Chaudhry et al., Riemannian Walk for Incremental Learning, ECCV 2018", url: "https://arxiv.org/abs/1801.10112"),
    higherIsBetter: false
  ) { a, references in shortfall(a, references, k: a.count - 1) }

  /// Intransigence averaged over all experiences, less noisy than the last alone.
  public static let meanIntransigence = Metric(
    id: "intransigence.mean", name: "Mean intransigence", symbol: "I mean", unit: .points,
    formula: "1/T · Σ_{k=1..T} (a*[k] − a[k,k])",
    source: Citation(
      "Our mean over k of IM_k of Chaudhry et al., Riemannian Walk, ECCV 2018",
      url: "https://arxiv.org/abs/1801.10112"),
    higherIsBetter: false
  ) { a, references in a.rows.indices.map { shortfall(a, references, k: $0) }.completeMean }

  private static func shortfall(_ a: AccuracyMatrix, _ references: References, k: Int) -> Double? {
    difference(references.joint(k), a[after: k, on: k])
  }
}
